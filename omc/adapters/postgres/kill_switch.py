"""The kill switch in PostgreSQL: a row says that the platform, an account or a deployment is halted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import journal
from omc.adapters.postgres.database import Database
from omc.errors import NotFound
from omc.risk.kill_switch import Halt, HaltLevel, kept, strictest, told, was_reset

# Whoever trips a switch and whoever is about to send an order meet: the one waits for the other, so that no order slips
# in between. Of an account they meet at its user's row, by locks that pass by the ones that foreign keys take; of the
# platform at a lock of its own. Nobody who waits for the platform's holds a user's row.
_PLATFORM = "hashtext('kill_switch')"
_LOCK_TO_CHANGE = text("SELECT 1 FROM users WHERE id = :user_id FOR NO KEY UPDATE")
_LOCK_TO_CHANGE_ALL = text(f"SELECT pg_advisory_xact_lock({_PLATFORM})")
_LOCK_TO_RELY = text(f"SELECT pg_advisory_xact_lock_shared({_PLATFORM})::text FROM users WHERE id = :user_id FOR SHARE")  # noqa: S608
_AT = """
    user_id IS NOT DISTINCT FROM CAST(:user_id AS uuid)
    AND deployment_id IS NOT DISTINCT FROM CAST(:deployment_id AS uuid)
"""
_GET = text(f"SELECT user_id, deployment_id, since, reason, level FROM kill_switches WHERE {_AT}")  # noqa: S608
_OWNED = text("SELECT 1 FROM deployed_algorithms WHERE id = :deployment_id AND user_id = :user_id")
_RESET = text(f"DELETE FROM kill_switches WHERE {_AT}")  # noqa: S608
_TRIP = text("""
    INSERT INTO kill_switches (user_id, deployment_id, since, reason, level)
    VALUES (:user_id, :deployment_id, coalesce(CAST(:since AS timestamptz), now()), :reason, :level)
    RETURNING user_id, deployment_id, since, reason, level
""")
# What was reset last in each place, so that who stores a halt late does not halt it anew.
_ENDED = text(f"SELECT user_id, deployment_id, since, reason, level FROM ended_halts WHERE {_AT}")  # noqa: S608
_FORGET = text(f"DELETE FROM ended_halts WHERE {_AT}")  # noqa: S608
_END = text("""
    INSERT INTO ended_halts (user_id, deployment_id, since, reason, level)
    VALUES (:user_id, :deployment_id, :since, :reason, :level)
""")
_HALTED = text("""
    SELECT user_id, deployment_id, since, reason, level FROM kill_switches
    WHERE (user_id IS NULL OR user_id = :user_id) AND (deployment_id IS NULL OR deployment_id = :deployment_id)
""")
_ON = text("SELECT user_id, deployment_id, since, reason, level FROM kill_switches ORDER BY since")
_EVERYBODY = text("SELECT DISTINCT user_id FROM deployed_algorithms ORDER BY user_id")


@dataclass(frozen=True, slots=True)
class PostgresKillSwitch:
    """A KillSwitch."""

    database: Database

    async def trip(
        self,
        user_id: UUID | None,
        reason: str,
        *,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
        since: datetime | None = None,
    ) -> Halt:
        async with self.database.transaction() as connection:
            await _lock(connection, user_id, deployment_id)
            return await _trip(connection, user_id, deployment_id, since, reason, level)

    async def catch_up(self, halt: Halt) -> Halt | None:
        async with self.database.transaction() as connection:
            await _lock(connection, halt.user_id, halt.deployment_id)
            ended = (await connection.execute(_ENDED, _at(halt))).first()
            if was_reset(halt, _halt(ended) if ended else None):
                return None
            return await _trip(connection, halt.user_id, halt.deployment_id, halt.since, halt.reason, halt.level)

    async def reset(
        self,
        user_id: UUID | None,
        *,
        deployment_id: UUID | None = None,
        by: str = "",
        reason: str = "",
        until: datetime | None = None,
    ) -> Halt | None:
        at = {"user_id": user_id, "deployment_id": deployment_id}
        async with self.database.transaction() as connection:
            await _lock(connection, user_id, deployment_id)
            row = (await connection.execute(_GET, at)).first()
            if row is None or (until is not None and row.since > until):
                return None
            for statement in (_RESET, _FORGET):
                await connection.execute(statement, at)
            await connection.execute(_END, at | {"since": row.since, "reason": row.reason, "level": row.level})
            await _tell(connection, "reset", _halt(row), {"by": by, "why": reason})
            return _halt(row)

    async def halted(self, user_id: UUID, deployment_id: UUID | None = None, *, adding: bool = True) -> Halt | None:
        async with self.database.transaction() as connection:
            return await _binding(connection, user_id, deployment_id, adding)

    async def on(self) -> list[Halt]:
        async with self.database.transaction() as connection:
            return [_halt(row) for row in await connection.execute(_ON)]


async def refuse_if_halted(
    connection: AsyncConnection, user_id: UUID, deployment_id: UUID | None = None, *, adding: bool = True
) -> None:
    """Keep everything from being halted that an order depends on, until the end of the transaction. Halted when it is
    already; AddingHalted when only what adds is, and `adding` is."""
    await connection.execute(_LOCK_TO_RELY, {"user_id": user_id})
    if halt := await _binding(connection, user_id, deployment_id, adding):
        raise halt.fault()


async def _lock(connection: AsyncConnection, user_id: UUID | None, deployment_id: UUID | None) -> None:
    if user_id is None:
        await connection.execute(_LOCK_TO_CHANGE_ALL)
    elif not (await connection.execute(_LOCK_TO_CHANGE, {"user_id": user_id})).first():
        raise NotFound(f"there is no user {user_id}")
    if deployment_id is not None:
        owned = {"deployment_id": deployment_id, "user_id": user_id}
        if not (await connection.execute(_OWNED, owned)).first():
            raise NotFound(f"there is no deployment {deployment_id}")


async def _trip(
    connection: AsyncConnection,
    user_id: UUID | None,
    deployment_id: UUID | None,
    since: datetime | None,
    reason: str,
    level: HaltLevel,
) -> Halt:
    at = {"user_id": user_id, "deployment_id": deployment_id}
    first = (await connection.execute(_GET, at)).first()
    if first is not None:
        halt = _halt(first)
        if kept(halt, Halt(user_id, halt.since, reason, level, deployment_id)) is halt:
            return halt
        await connection.execute(_RESET, at)
    asked = at | {"since": since, "reason": reason, "level": level.value}
    halt = _halt((await connection.execute(_TRIP, asked)).one())
    await _tell(connection, "halt", halt)
    return halt


def _at(halt: Halt) -> dict[str, UUID | None]:
    return {"user_id": halt.user_id, "deployment_id": halt.deployment_id}


async def _binding(connection: AsyncConnection, user_id: UUID, deployment_id: UUID | None, adding: bool) -> Halt | None:
    rows = await connection.execute(_HALTED, {"user_id": user_id, "deployment_id": deployment_id})
    return strictest(each for each in map(_halt, rows) if each.binds(user_id, deployment_id, adding))


async def _tell(connection: AsyncConnection, kind: str, halt: Halt, said: Mapping[str, str] | None = None) -> None:
    # What halts everybody is in everybody's journal, always in one order.
    owners = [halt.user_id] if halt.user_id else (await connection.execute(_EVERYBODY)).scalars().all()
    data = told(halt) | dict(said or {})
    await journal.write(connection, *(journal.Line(owner, kind, data, halt.deployment_id) for owner in owners))


def _halt(row: Row[Any]) -> Halt:
    return Halt(row.user_id, row.since, row.reason, HaltLevel(row.level), row.deployment_id)
