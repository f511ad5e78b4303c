"""Accounts in PostgreSQL. An email is unique whatever its case, by an index and not by looking first."""

# ruff: noqa: S608 - statements are composed of the constants below

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError

from omc.access.user import User
from omc.adapters.postgres.database import Database
from omc.errors import Conflict, NotFound

_COLUMNS = "id, email, full_name, is_active, is_superuser, created_at"
_CREATE = text(f"""
    INSERT INTO users (email, hashed_password, full_name) VALUES (:email, :hashed_password, :full_name)
    RETURNING {_COLUMNS}
""")
_GET = text(f"SELECT {_COLUMNS} FROM users WHERE id = :id")
_CREDENTIALS = text(f"SELECT {_COLUMNS}, hashed_password FROM users WHERE lower(email) = lower(:email)")
_SET_PASSWORD = text("UPDATE users SET hashed_password = :hashed_password, updated_at = now() WHERE id = :id")
_UPDATE = text(f"""
    UPDATE users SET email = :email, full_name = :full_name, updated_at = now() WHERE id = :id RETURNING {_COLUMNS}
""")


@dataclass(frozen=True, slots=True)
class PostgresUsers:
    """A UserStore."""

    database: Database

    async def create(self, email: str, hashed_password: str, full_name: str | None) -> User:
        values = {"email": email, "hashed_password": hashed_password, "full_name": full_name}
        try:
            async with self.database.transaction() as connection:
                return _user((await connection.execute(_CREATE, values)).one())
        except IntegrityError:
            raise Conflict("this email address has an account already") from None

    async def get(self, user_id: UUID) -> User:
        async with self.database.transaction() as connection:
            return _found((await connection.execute(_GET, {"id": user_id})).first(), user_id)

    async def credentials(self, email: str) -> tuple[User, str] | None:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_CREDENTIALS, {"email": email})).first()
            return (_user(row), row.hashed_password) if row else None

    async def set_password(self, user_id: UUID, hashed_password: str) -> None:
        values = {"id": user_id, "hashed_password": hashed_password}
        async with self.database.transaction() as connection:
            if not (await connection.execute(_SET_PASSWORD, values)).rowcount:
                raise NotFound(f"there is no user {user_id}")

    async def update(self, user_id: UUID, *, email: str, full_name: str | None) -> User:
        values = {"id": user_id, "email": email, "full_name": full_name}
        try:
            async with self.database.transaction() as connection:
                return _found((await connection.execute(_UPDATE, values)).first(), user_id)
        except IntegrityError:
            raise Conflict("this email address has an account already") from None


def _found(row: Row[Any] | None, user_id: UUID) -> User:
    if row is None:
        raise NotFound(f"there is no user {user_id}")
    return _user(row)


def _user(row: Row[Any]) -> User:
    return User(row.id, row.email, row.full_name, row.is_active, row.is_superuser, row.created_at)
