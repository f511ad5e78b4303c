"""Refresh tokens in PostgreSQL: by digest alone, in families that are revoked together."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.token import RefreshGrant, overtaken
from omc.adapters.postgres.database import Database
from omc.errors import Unauthenticated

# Kept from changing meanwhile: whoever ends the account's sessions does so before, which is seen, or ends this one too.
_AS_VERIFIED = text("""
    SELECT 1 FROM users WHERE id = :user_id
        AND (CAST(:valid_from AS timestamptz) IS NULL OR (is_active AND tokens_valid_from = :valid_from)) FOR SHARE
""")
_NEW_FAMILY = text("""
    INSERT INTO refresh_families (id, user_id) VALUES (:family, :user_id) ON CONFLICT (id) DO NOTHING
""")
_ISSUE = text("""
    INSERT INTO refresh_tokens (digest, family_id, expires_at) VALUES (:digest, :family, :expires_at)
""")
# The family is locked: of two that spend one token at once, the second sees it spent.
_LOOK = text("""
    SELECT f.id AS family, f.user_id, f.revoked_at, t.expires_at, t.spent_at
    FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id
    WHERE t.digest = :digest FOR UPDATE
""")
_SPEND = text("UPDATE refresh_tokens SET spent_at = now() WHERE digest = :digest")
_REVOKE = text("UPDATE refresh_families SET revoked_at = coalesce(revoked_at, now()) WHERE id = :family")
_REVOKE_USER = text("""
    UPDATE refresh_families SET revoked_at = now() WHERE user_id = :user_id AND revoked_at IS NULL
""")
_FAMILY = text("SELECT family_id FROM refresh_tokens WHERE digest = :digest")
_GRANT = text("""
    SELECT t.digest, f.id AS family, f.user_id, t.expires_at, f.revoked_at IS NOT NULL AS is_over
    FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id WHERE t.digest = :digest
""")


@dataclass(frozen=True, slots=True)
class PostgresRefreshTokens:
    """A RefreshStore."""

    database: Database

    async def issue(self, grant: RefreshGrant) -> None:
        verified = {"user_id": grant.user_id, "valid_from": grant.valid_from}
        async with self.database.transaction() as connection:
            if (await connection.execute(_AS_VERIFIED, verified)).first() is None:
                raise overtaken()
            await connection.execute(_NEW_FAMILY, {"family": grant.family, "user_id": grant.user_id})
            await _issue(connection, grant, grant.family)

    async def rotate(self, digest: str, successor: RefreshGrant, now: datetime) -> UUID:
        async with self.database.transaction() as connection:
            token = (await connection.execute(_LOOK, {"digest": digest})).first()
            if token is None or token.expires_at <= now or token.revoked_at is not None:
                raise Unauthenticated("this refresh token is unknown, expired or revoked")
            if token.spent_at is None:
                await connection.execute(_SPEND, {"digest": digest})
                await _issue(connection, successor, token.family)
                return token.user_id
            # Somebody holds a copy: whether the thief or the owner came second cannot be told, so both are out. The
            # revocation must be kept, so the fault is raised behind the transaction.
            await connection.execute(_REVOKE, {"family": token.family})
        raise Unauthenticated("this refresh token was used already: every token that descends from it is revoked")

    async def revoke(self, digest: str) -> None:
        async with self.database.transaction() as connection:
            family = (await connection.execute(_FAMILY, {"digest": digest})).scalar_one_or_none()
            await connection.execute(_REVOKE, {"family": family})

    async def revoke_user(self, user_id: UUID) -> None:
        async with self.database.transaction() as connection:
            await revoke_user(connection, user_id)

    async def grant(self, digest: str) -> RefreshGrant | None:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_GRANT, {"digest": digest})).first()
            if row is None:
                return None
            return RefreshGrant(row.digest, row.family, row.user_id, row.expires_at, is_over=row.is_over)


async def revoke_user(connection: AsyncConnection, user_id: UUID) -> None:
    """Within somebody's transaction."""
    await connection.execute(_REVOKE_USER, {"user_id": user_id})


async def _issue(connection: AsyncConnection, grant: RefreshGrant, family: UUID) -> None:
    values = {"digest": grant.digest, "family": family, "expires_at": grant.expires_at}
    await connection.execute(_ISSUE, values)
