"""A venue's nonces in PostgreSQL: durable before they are used, so no number is ever used twice."""

from dataclasses import dataclass

from sqlalchemy import text

from omc.adapters.postgres import leases
from omc.adapters.postgres.database import Database
from omc.trading.lease import Lease

_NEXT = text("""
    INSERT INTO venue_nonces (account, nonce) VALUES (:account, :now_ms)
    ON CONFLICT (account) DO UPDATE
        SET nonce = greatest(excluded.nonce, venue_nonces.nonce + 1), updated_at = now()
    RETURNING nonce
""")


@dataclass(frozen=True, slots=True)
class PostgresNonces:
    """A NonceStore."""

    database: Database

    async def next(self, account: str, now_ms: int, sender: Lease | None = None) -> int:
        async with self.database.transaction() as connection:
            if sender is not None:
                await leases.hold(connection, sender)
            return int((await connection.execute(_NEXT, {"account": account, "now_ms": now_ms})).scalar_one())
