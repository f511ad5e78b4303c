"""The kill switch in PostgreSQL: a row says that an account is halted."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import journal
from omc.adapters.postgres.database import Database
from omc.errors import Halted, NotFound
from omc.risk.kill_switch import Halt

# Whoever trips it and whoever is about to send an order meet at the user's row: the one waits for the other, so that
# no order slips in between. These locks pass by the ones that foreign keys take.
_LOCK_TO_CHANGE = text("SELECT 1 FROM users WHERE id = :user_id FOR NO KEY UPDATE")
_LOCK_TO_RELY = text("SELECT 1 FROM users WHERE id = :user_id FOR SHARE")
# A switch that is on keeps its first moment and reason; the assignment that changes nothing makes it be returned.
_TRIP = text("""
    INSERT INTO kill_switches (user_id, reason) VALUES (:user_id, :reason)
    ON CONFLICT (user_id) DO UPDATE SET reason = kill_switches.reason
    RETURNING since, reason
""")
_RESET = text("DELETE FROM kill_switches WHERE user_id = :user_id")
_HALTED = text("SELECT since, reason FROM kill_switches WHERE user_id = :user_id")


@dataclass(frozen=True, slots=True)
class PostgresKillSwitch:
    """A KillSwitch."""

    database: Database

    async def trip(self, user_id: UUID, reason: str) -> Halt:
        async with self.database.transaction() as connection:
            if not (await connection.execute(_LOCK_TO_CHANGE, {"user_id": user_id})).first():
                raise NotFound(f"there is no user {user_id}")
            row = (await connection.execute(_TRIP, {"user_id": user_id, "reason": reason})).one()
            data = {"reason": reason, "since": row.since}
            await journal.write(connection, journal.Line(user_id, "halt", data))
            return Halt(user_id, row.since, row.reason)

    async def reset(self, user_id: UUID) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(_LOCK_TO_CHANGE, {"user_id": user_id})
            if (await connection.execute(_RESET, {"user_id": user_id})).rowcount:
                await journal.write(connection, journal.Line(user_id, "reset"))

    async def halted(self, user_id: UUID) -> Halt | None:
        async with self.database.transaction() as connection:
            return await _halt(connection, user_id)


async def refuse_if_halted(connection: AsyncConnection, user_id: UUID) -> None:
    """Keep the account from being halted until the end of the transaction. Halted when it is already."""
    await connection.execute(_LOCK_TO_RELY, {"user_id": user_id})
    if halt := await _halt(connection, user_id):
        raise Halted(f"trading is halted since {halt.since.isoformat()}: {halt.reason}")


async def _halt(connection: AsyncConnection, user_id: UUID) -> Halt | None:
    row = (await connection.execute(_HALTED, {"user_id": user_id})).first()
    return Halt(user_id, row.since, row.reason) if row else None
