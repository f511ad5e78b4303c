"""Leases in PostgreSQL: one row a name, whose epoch only rises."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres.database import Database
from omc.errors import StaleLease
from omc.trading.lease import Lease

_TAKE = text("""
    INSERT INTO leases (name, epoch, holder) VALUES (:name, 1, :holder)
    ON CONFLICT (name) DO UPDATE SET epoch = leases.epoch + 1, holder = excluded.holder, taken_at = now()
    RETURNING epoch
""")
_CURRENT = text("SELECT epoch FROM leases WHERE name = :name")
# The share lock keeps the lease from being taken until the transaction that relies on it is over.
_HOLD = text("SELECT epoch FROM leases WHERE name = :name FOR SHARE")


@dataclass(frozen=True, slots=True)
class PostgresLeases:
    """A LeaseStore."""

    database: Database

    async def take(self, name: str, holder: str) -> Lease:
        async with self.database.transaction() as connection:
            return Lease(name, (await connection.execute(_TAKE, {"name": name, "holder": holder})).scalar_one())

    async def current(self, name: str) -> int:
        async with self.database.transaction() as connection:
            return (await connection.execute(_CURRENT, {"name": name})).scalar_one_or_none() or 0


async def hold(connection: AsyncConnection, *leases: Lease) -> None:
    """Keep `leases` in force until the end of the transaction. StaleLease when one is not."""
    for lease in sorted(leases, key=lambda each: each.name):
        epoch = (await connection.execute(_HOLD, {"name": lease.name})).scalar_one_or_none()
        if epoch != lease.epoch:
            raise StaleLease(f"the lease {lease.name} of epoch {lease.epoch} was taken by another")
