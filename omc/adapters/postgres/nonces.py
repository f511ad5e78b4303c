"""A venue's nonces in PostgreSQL: durable before they are used, so no number is ever used twice."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text

from omc.adapters.postgres import leases
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.lane import Astray
from omc.trading.lease import Lease

_NEXT = text("""
    INSERT INTO venue_nonces (account, nonce) VALUES (:account, :now_ms)
    ON CONFLICT (account) DO UPDATE
        SET nonce = greatest(excluded.nonce, venue_nonces.nonce + 1), updated_at = now()
    RETURNING nonce
""")
# Those of many accounts, one each: who asks for another of the same, or under a lease that was taken, asks alone.
_TOGETHER = """
    WITH held AS MATERIALIZED (
        SELECT name, epoch FROM leases
        WHERE name IN (SELECT each ->> 'lease' FROM jsonb_array_elements($1::jsonb) AS each) ORDER BY name FOR SHARE
    ), wanted AS MATERIALIZED (
        SELECT DISTINCT ON (w.account) w.at, w.account, w.now_ms
        FROM jsonb_to_recordset($1::jsonb) AS w(at integer, account text, now_ms bigint, lease text, epoch bigint)
        LEFT JOIN held ON held.name = w.lease WHERE w.lease IS NULL OR held.epoch = w.epoch
        ORDER BY w.account, w.at
    ), drawn AS (
        INSERT INTO venue_nonces (account, nonce) SELECT account, now_ms FROM wanted ORDER BY account
        ON CONFLICT (account) DO UPDATE
            SET nonce = greatest(excluded.nonce, venue_nonces.nonce + 1), updated_at = now()
        RETURNING account, nonce
    )
    SELECT wanted.at, drawn.nonce FROM wanted JOIN drawn USING (account)
"""


_FRESH_S = 1.0
"""How long a number that came with the write-ahead is kept for its order."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    nonce: int
    sender: Lease
    good_until_s: float


_DRAWN: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[Path, str], _Drawn]] = WeakKeyDictionary()


def keep(database: Database, account: str, sender: Lease, nonce: int) -> None:
    """A number that was drawn for `account` under the lease of `sender`, for whoever asks for one next."""
    loop = asyncio.get_running_loop()
    drawn = _DRAWN.setdefault(loop, {})
    drawn[database.dsn_file, account] = _Drawn(nonce, sender, loop.time() + _FRESH_S)


@dataclass(frozen=True, slots=True)
class PostgresNonces:
    """A NonceStore. The next number of a sender's that has just written ahead is drawn already."""

    database: Database

    async def next(self, account: str, now_ms: int, sender: Lease | None = None) -> int:
        loop = asyncio.get_running_loop()
        drawn, key = _DRAWN.setdefault(loop, {}), (self.database.dsn_file, account)
        # Whoever asks first takes it or passes it over: a later one would be handed out before it.
        kept = drawn.pop(key, None)
        if kept is not None and kept.sender == sender and loop.time() < kept.good_until_s:
            return kept.nonce
        nonce = await self._drawn(account, now_ms, sender)
        if (kept := drawn.get(key)) is not None and kept.nonce < nonce:
            del drawn[key]
        return nonce

    async def _drawn(self, account: str, now_ms: int, sender: Lease | None) -> int:
        asked: dict[str, Any] = {"account": account, "now_ms": now_ms}
        if sender is not None:
            asked |= {"lease": sender.name, "epoch": sender.epoch}
        try:
            for row in await self.database.lane(_TOGETHER).ask(asked):
                return int(row["nonce"])
        except Astray:
            # At worst a number is left out.
            pass
        return await self._drawn_alone(account, now_ms, sender)

    async def _drawn_alone(self, account: str, now_ms: int, sender: Lease | None) -> int:
        async with self.database.transaction() as connection:
            if sender is not None:
                await leases.hold(connection, sender)
            return int((await connection.execute(_NEXT, {"account": account, "now_ms": now_ms})).scalar_one())
