"""API tokens in PostgreSQL: by digest alone."""

# ruff: noqa: S608 - statements are composed of the constants below

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError

from omc.access.api_token import NOTED_EVERY, ApiToken, check_room, nobody, unknown
from omc.access.scope import Scope
from omc.adapters.postgres import journal
from omc.adapters.postgres.database import Database

_COLUMNS = "t.id, t.user_id, t.name, t.scopes, t.digest, t.created_at, t.expires_at, t.last_used_at"
# Of many that are made at once, each counts those before it.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('api_tokens:' || CAST(:user_id AS text), 0))")
# Kept from being closed meanwhile: whoever closes the account does so before, which is seen, or ends this one with it.
_OPEN = text("SELECT 1 FROM users WHERE id = :user_id AND is_active FOR SHARE")
_COUNT = text("SELECT count(*) FROM api_tokens WHERE user_id = :user_id")
_ADD = text("""
    INSERT INTO api_tokens (id, user_id, name, scopes, digest, created_at, expires_at)
    VALUES (:id, :user_id, :name, CAST(:scopes AS text[]), :digest, :created_at, :expires_at)
""")
_OF = text(f"SELECT {_COLUMNS} FROM api_tokens t WHERE user_id = :user_id ORDER BY created_at DESC, id DESC")
_FIND = text(f"SELECT {_COLUMNS} FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE t.id = :id AND u.is_active")
_NOTE_USE = text("""
    UPDATE api_tokens SET last_used_at = :at
    WHERE id = :id AND (last_used_at IS NULL OR last_used_at <= CAST(:at AS timestamptz) - CAST(:every AS interval))
""")
_REVOKE = text("DELETE FROM api_tokens WHERE id = :id AND user_id = :user_id RETURNING name")


@dataclass(frozen=True, slots=True)
class PostgresApiTokens:
    """An ApiTokenStore."""

    database: Database

    async def add(self, token: ApiToken) -> None:
        scopes = sorted(each.value for each in token.scopes)
        values = {
            "id": token.id,
            "user_id": token.user_id,
            "name": token.name,
            "scopes": scopes,
            "digest": token.digest,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        }
        try:
            async with self.database.transaction() as connection:
                await connection.execute(_ALONE, {"user_id": str(token.user_id)})
                if (await connection.execute(_OPEN, {"user_id": token.user_id})).first() is None:
                    raise nobody(token.user_id)
                check_room((await connection.execute(_COUNT, {"user_id": token.user_id})).scalar_one())
                await connection.execute(_ADD, values)
                told = {"event": "made", "token_id": str(token.id), "name": token.name, "scopes": scopes}
                await journal.write(connection, journal.Line(token.user_id, "api_token", told))
        except IntegrityError:
            raise nobody(token.user_id) from None

    async def of(self, user_id: UUID) -> list[ApiToken]:
        async with self.database.look() as connection:
            return [_token(row) for row in await connection.execute(_OF, {"user_id": user_id})]

    async def find(self, token_id: UUID) -> ApiToken | None:
        async with self.database.look() as connection:
            row = (await connection.execute(_FIND, {"id": token_id})).first()
            return _token(row) if row else None

    async def note_use(self, token_id: UUID, at: datetime) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(_NOTE_USE, {"id": token_id, "at": at, "every": NOTED_EVERY})

    async def revoke(self, user_id: UUID, token_id: UUID) -> None:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_REVOKE, {"id": token_id, "user_id": user_id})).first()
            if row is None:
                raise unknown(token_id)
            told = {"event": "revoked", "token_id": str(token_id), "name": row.name}
            await journal.write(connection, journal.Line(user_id, "api_token", told))


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        scopes=frozenset(Scope(each) for each in row.scopes),
        digest=row.digest,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
