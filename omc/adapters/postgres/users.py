"""Accounts in PostgreSQL. An email is unique whatever its case, by an index and not by looking first."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError

from omc.access.revocation import Revocation, valid_from
from omc.access.user import User, changed_meanwhile, closed_to, no_user, nobody_of
from omc.adapters.postgres import journal, refresh
from omc.adapters.postgres.database import Database
from omc.errors import Conflict

_COLUMNS = "id, email, full_name, is_active, is_superuser, created_at, tokens_valid_from, deleted_at"
_CREATE = text(f"""
    INSERT INTO users (email, hashed_password, full_name) VALUES (:email, :hashed_password, :full_name)
    RETURNING {_COLUMNS}
""")
_GET = text(f"SELECT {_COLUMNS} FROM users WHERE id = :id")
_CREDENTIALS = text(f"SELECT {_COLUMNS}, hashed_password FROM users WHERE lower(email) = lower(:email)")
_SET_PASSWORD = text("""
    UPDATE users SET hashed_password = :hashed_password, tokens_valid_from = :valid_from, updated_at = now()
    WHERE id = :id AND (CAST(:in_place_of AS text) IS NULL OR hashed_password = :in_place_of)
""")
_REHASH = text("""
    UPDATE users SET hashed_password = :hashed_password WHERE id = :id AND hashed_password = :in_place_of
""")
_PAGE = text(f"""
    SELECT {_COLUMNS} FROM users WHERE strpos(lower(email), lower(:part)) > 0
    ORDER BY created_at, id OFFSET :offset LIMIT :limit
""")
_COUNT = text("SELECT count(*) FROM users WHERE strpos(lower(email), lower(:part)) > 0")
_SUPERUSERS = text(f"SELECT {_COLUMNS} FROM users WHERE is_superuser ORDER BY lower(email)")
_LOCKED = text(f"SELECT {_COLUMNS} FROM users WHERE lower(email) = lower(:email) FOR NO KEY UPDATE")
_SET_SUPERUSER = text(f"""
    UPDATE users SET is_superuser = :granted, updated_at = now() WHERE id = :id RETURNING {_COLUMNS}
""")
_CHANGED = text("SELECT id, tokens_valid_from, is_active FROM users WHERE tokens_valid_from > :moment")
_UPDATE = text(f"""
    UPDATE users SET email = :email, full_name = :full_name, updated_at = now()
    WHERE id = :id AND deleted_at IS NULL RETURNING {_COLUMNS}
""")


@dataclass(frozen=True, slots=True)
class PostgresUsers:
    """A UserStore."""

    database: Database

    async def create(self, email: str, hashed_password: str, full_name: str | None) -> User:
        values = {"email": email, "hashed_password": hashed_password, "full_name": full_name}
        try:
            async with self.database.transaction() as connection:
                return user_of((await connection.execute(_CREATE, values)).one())
        except IntegrityError:
            raise Conflict("this email address has an account already") from None

    async def get(self, user_id: UUID) -> User:
        async with self.database.look() as connection:
            return _found((await connection.execute(_GET, {"id": user_id})).first(), user_id)

    async def credentials(self, email: str) -> tuple[User, str] | None:
        async with self.database.look() as connection:
            row = (await connection.execute(_CREDENTIALS, {"email": email})).first()
            return (user_of(row), row.hashed_password) if row else None

    async def set_password(
        self, user_id: UUID, hashed_password: str, at: datetime, *, in_place_of: str | None = None
    ) -> None:
        values = {
            "id": user_id,
            "hashed_password": hashed_password,
            "valid_from": valid_from(at),
            "in_place_of": in_place_of,
        }
        async with self.database.transaction() as connection:
            if not (await connection.execute(_SET_PASSWORD, values)).rowcount:
                _found((await connection.execute(_GET, {"id": user_id})).first(), user_id)
                raise changed_meanwhile()
            await refresh.revoke_user(connection, user_id)

    async def rehash(self, user_id: UUID, hashed_password: str, *, in_place_of: str) -> None:
        values = {"id": user_id, "hashed_password": hashed_password, "in_place_of": in_place_of}
        async with self.database.transaction() as connection:
            await connection.execute(_REHASH, values)

    async def update(self, user_id: UUID, *, email: str, full_name: str | None) -> User:
        values = {"id": user_id, "email": email, "full_name": full_name}
        try:
            async with self.database.transaction() as connection:
                return _found((await connection.execute(_UPDATE, values)).first(), user_id)
        except IntegrityError:
            raise Conflict("this email address has an account already") from None

    async def page(self, email_part: str, offset: int, limit: int) -> tuple[list[User], int]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(_PAGE, {"part": email_part, "offset": offset, "limit": limit})
            found = [user_of(row) for row in rows]
            return found, (await connection.execute(_COUNT, {"part": email_part})).scalar_one()

    async def superusers(self) -> list[User]:
        async with self.database.transaction() as connection:
            return [user_of(row) for row in await connection.execute(_SUPERUSERS)]

    async def set_superuser(self, email: str, granted: bool) -> User:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_LOCKED, {"email": email})).first()
            if row is None:
                raise nobody_of(email)
            if granted and not row.is_active:
                raise closed_to(email)
            if row.is_superuser is granted:
                return user_of(row)
            changed = user_of((await connection.execute(_SET_SUPERUSER, {"id": row.id, "granted": granted})).one())
            told = {"event": "superuser_granted" if granted else "superuser_revoked"}
            await journal.write(connection, journal.Line(changed.id, "account", told))
            return changed

    async def changed_since(self, moment: datetime) -> Sequence[Revocation]:
        async with self.database.look() as connection:
            rows = await connection.execute(_CHANGED, {"moment": moment})
            return [Revocation(row.id, row.tokens_valid_from, closed=not row.is_active) for row in rows]


def _found(row: Row[Any] | None, user_id: UUID) -> User:
    if row is None:
        raise no_user(user_id)
    return user_of(row)


def user_of(row: Row[Any]) -> User:
    """Of a row of its table."""
    return User(
        row.id,
        row.email,
        row.full_name,
        row.is_active,
        row.is_superuser,
        row.created_at,
        row.tokens_valid_from,
        row.deleted_at,
    )
