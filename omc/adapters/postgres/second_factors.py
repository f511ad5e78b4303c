"""Second factors in PostgreSQL: sealed secrets, steps that only go forward, tries counted before they are looked at."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.second_factor import FREE_TRIES, SecondFactor, wait_after
from omc.access.second_factor_store import already_on, closed, not_there
from omc.access.vault import key_id
from omc.adapters.postgres import journal
from omc.adapters.postgres.database import Database
from omc.errors import NotFound

_COLUMNS = """id, user_id, encode(secret_encrypted, 'escape') AS sealed, created_at, confirmed_at, last_step, tries,
    closed_until"""
_GET = text(f"SELECT {_COLUMNS} FROM second_factors WHERE user_id = :user_id")
_EVERY = text(f"SELECT {_COLUMNS} FROM second_factors ORDER BY user_id")
_BEGIN = text("""
    INSERT INTO second_factors (id, user_id, secret_encrypted, created_at)
    VALUES (:id, :user_id, :secret, :created_at)
    ON CONFLICT (user_id) DO UPDATE SET id = excluded.id, secret_encrypted = excluded.secret_encrypted,
        created_at = excluded.created_at, last_step = -1, tries = 0, closed_until = NULL
    WHERE second_factors.confirmed_at IS NULL
""")
# How long to wait is decided from the count that the row has: of many at once, each waits for those before it.
_CHARGE = text(f"""
    UPDATE second_factors SET tries = tries + 1, closed_until = CASE WHEN tries + 1 >= {FREE_TRIES} THEN
        CAST(:now AS timestamptz) + (CAST(:waits AS interval[]))[least(tries + 2 - {FREE_TRIES}, :longest)] END
    WHERE user_id = :user_id AND (closed_until IS NULL OR closed_until <= :now) RETURNING {_COLUMNS}
""")
_ADVANCE = text("""
    UPDATE second_factors SET last_step = :step, tries = 0, closed_until = NULL WHERE id = :id AND last_step < :step
""")
_CONFIRM = text("UPDATE second_factors SET confirmed_at = :now WHERE id = :id AND confirmed_at IS NULL")
_CODES = text("""
    INSERT INTO recovery_codes (second_factor_id, digest) SELECT :id, unnest(CAST(:digests AS text[]))
""")
_SPEND = text("""
    UPDATE recovery_codes SET spent_at = :now WHERE second_factor_id = :id AND digest = :digest AND spent_at IS NULL
""")
_FORGET = text("UPDATE second_factors SET tries = 0, closed_until = NULL WHERE id = :id")
_LEFT = text("SELECT count(*) FROM recovery_codes WHERE second_factor_id = :id AND spent_at IS NULL")
_REMOVE = text("DELETE FROM second_factors WHERE id = :id AND (confirmed_at IS NOT NULL) = :is_on")
_RESEAL = text("UPDATE second_factors SET secret_encrypted = :secret WHERE id = :id")
_WAITS = [wait for tries in range(FREE_TRIES, FREE_TRIES + 16) if (wait := wait_after(tries)) is not None]


@dataclass(frozen=True, slots=True)
class PostgresSecondFactors:
    """A SecondFactorStore."""

    database: Database

    async def get(self, user_id: UUID) -> SecondFactor | None:
        async with self.database.look() as connection:
            row = (await connection.execute(_GET, {"user_id": user_id})).first()
            return _factor(row) if row else None

    async def begin(self, factor: SecondFactor) -> None:
        values = {
            "id": factor.id,
            "user_id": factor.user_id,
            "secret": factor.sealed.encode(),
            "created_at": factor.created_at,
        }
        try:
            async with self.database.transaction() as connection:
                if not (await connection.execute(_BEGIN, values)).rowcount:
                    raise already_on()
                await _tell(connection, factor, "begun")
        except IntegrityError:
            raise NotFound(f"there is no user {factor.user_id}") from None

    async def charge(self, user_id: UUID, now: datetime) -> SecondFactor:
        values = {"user_id": user_id, "now": now, "waits": _WAITS, "longest": len(_WAITS)}
        async with self.database.transaction() as connection:
            row = (await connection.execute(_CHARGE, values)).first()
            if row is not None:
                charged = _factor(row)
                if charged.closed_until is not None:
                    await _tell(connection, charged, "closed", tries=charged.tries)
                return charged
            known = (await connection.execute(_GET, {"user_id": user_id})).first()
        if known is None:
            raise not_there()
        raise closed(known.closed_until or now, now)

    async def advance(self, factor: SecondFactor, step: int) -> bool:
        async with self.database.transaction() as connection:
            return bool((await connection.execute(_ADVANCE, {"id": factor.id, "step": step})).rowcount)

    async def confirm(self, factor: SecondFactor, digests: Collection[str], now: datetime) -> bool:
        async with self.database.transaction() as connection:
            if not (await connection.execute(_CONFIRM, {"id": factor.id, "now": now})).rowcount:
                return False
            await connection.execute(_CODES, {"id": factor.id, "digests": list(digests)})
            await _tell(connection, factor, "on")
            return True

    async def spend(self, factor: SecondFactor, digest: str, now: datetime) -> bool:
        async with self.database.transaction() as connection:
            if not (await connection.execute(_SPEND, {"id": factor.id, "digest": digest, "now": now})).rowcount:
                return False
            await connection.execute(_FORGET, {"id": factor.id})
            await _tell(connection, factor, "recovered")
            return True

    async def left(self, factor: SecondFactor) -> int:
        async with self.database.look() as connection:
            return int((await connection.execute(_LEFT, {"id": factor.id})).scalar_one())

    async def remove(self, factor: SecondFactor) -> bool:
        async with self.database.transaction() as connection:
            if not (await connection.execute(_REMOVE, {"id": factor.id, "is_on": factor.is_on})).rowcount:
                return False
            await _tell(connection, factor, "off")
            return True

    async def sealed_otherwise(self, vault_key: str) -> list[SecondFactor]:
        async with self.database.look() as connection:
            every = [_factor(row) for row in await connection.execute(_EVERY)]
        return [each for each in every if key_id(each.sealed) != vault_key]

    async def reseal(self, factor: SecondFactor) -> bool:
        async with self.database.transaction() as connection:
            values = {"id": factor.id, "secret": factor.sealed.encode()}
            return bool((await connection.execute(_RESEAL, values)).rowcount)

    async def vault_keys(self) -> frozenset[str]:
        async with self.database.look() as connection:
            return frozenset(key_id(row.sealed) for row in await connection.execute(_EVERY))


def _factor(row: Row[Any]) -> SecondFactor:
    return SecondFactor(
        id=row.id,
        user_id=row.user_id,
        sealed=row.sealed,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        last_step=row.last_step,
        tries=row.tries,
        closed_until=row.closed_until,
    )


async def _tell(connection: AsyncConnection, factor: SecondFactor, event: str, **data: Any) -> None:
    await journal.write(connection, journal.Line(factor.user_id, "second_factor", {"event": event, **data}))
