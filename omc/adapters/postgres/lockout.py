"""Failed attempts in PostgreSQL: a row for each place, locked while an attempt is counted there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.lockout import (
    FORGOTTEN_AFTER,
    KNOWN_FOR,
    NEVER,
    Admitted,
    Attempt,
    Blocked,
    Place,
    Tries,
    longest_left,
    succeeded,
)
from omc.adapters.postgres.database import Database

_KNOWN = text("""
    SELECT 1 FROM login_addresses WHERE account = :account AND address = :address AND last_at > :since
""")
# Made where there is none, and locked in one order: whoever counts at the same place waits here.
_LOCKED = text("""
    INSERT INTO login_attempts AS known (place, failures, last_at, blocked_until)
    SELECT place, 0, :never, :never FROM unnest(CAST(:places AS text[])) AS place ORDER BY place
    ON CONFLICT (place) DO UPDATE SET failures = known.failures
    RETURNING place, failures, last_at, blocked_until
""")
_STORE = text("""
    UPDATE login_attempts SET failures = :failures, last_at = :last_at, blocked_until = :blocked_until
    WHERE place = :place
""")
_CLEAR = text("DELETE FROM login_attempts WHERE place = :place")
_KNOW = text("""
    INSERT INTO login_addresses (account, address, last_at) VALUES (:account, :address, :now)
    ON CONFLICT (account, address) DO UPDATE SET last_at = excluded.last_at
""")
# Every attempt takes away more than it can add, so neither table grows with time. What somebody holds is left alone.
_FORGET = text("""
    DELETE FROM login_attempts WHERE place IN (
        SELECT place FROM login_attempts WHERE last_at < :before ORDER BY last_at LIMIT 10 FOR UPDATE SKIP LOCKED
    )
""")
_UNKNOW = text("""
    DELETE FROM login_addresses WHERE (account, address) IN (
        SELECT account, address FROM login_addresses WHERE last_at < :before
        ORDER BY last_at LIMIT 10 FOR UPDATE SKIP LOCKED
    )
""")


@dataclass(frozen=True, slots=True)
class PostgresLockout:
    """A LockoutStore."""

    database: Database

    async def begin(self, attempt: Attempt, now: datetime) -> Admitted | Blocked:
        which = {"account": attempt.account, "address": attempt.address, "since": now - KNOWN_FOR}
        async with self.database.transaction() as connection:
            known = (await connection.execute(_KNOWN, which)).first() is not None
            admitted = Admitted(attempt, known)
            found = await _locked(connection, admitted.keys)
            if left := longest_left(admitted.keys, found, now):
                return Blocked(left)
            for key, place in admitted.keys.items():
                await _store(connection, key, found[key].counted(place.backoff, now))
            await connection.execute(_FORGET, {"before": now - FORGOTTEN_AFTER})
            return admitted

    async def succeeded(self, admitted: Admitted, now: datetime) -> None:
        attempt = admitted.attempt
        async with self.database.transaction() as connection:
            found = await _locked(connection, admitted.keys)
            for key, place in admitted.keys.items():
                left = succeeded(place, found[key])
                if left is None:
                    await connection.execute(_CLEAR, {"place": key})
                else:
                    await _store(connection, key, left)
            known = {"account": attempt.account, "address": attempt.address, "now": now}
            await connection.execute(_KNOW, known)
            await connection.execute(_UNKNOW, {"before": now - KNOWN_FOR})


async def _locked(connection: AsyncConnection, keys: Mapping[str, Place]) -> dict[str, Tries]:
    rows = await connection.execute(_LOCKED, {"places": list(keys), "never": NEVER})
    return {row.place: Tries(row.failures, row.last_at, row.blocked_until) for row in rows}


async def _store(connection: AsyncConnection, key: str, tries: Tries) -> None:
    values = {"failures": tries.failures, "last_at": tries.last_at, "blocked_until": tries.blocked_until}
    await connection.execute(_STORE, {"place": key, **values})
