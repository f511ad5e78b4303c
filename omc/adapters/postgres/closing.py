"""Closing accounts in PostgreSQL: each in one transaction, so that a crash leaves an account as it was or closed."""

# ruff: noqa: S608 - statements are composed of the constants below

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.closing import DELETED, NO_PASSWORD, SHUT_OUT, StillTrading, gone, hindrance, placeholder
from omc.access.lockout import Attempt
from omc.access.revocation import valid_from
from omc.access.user import User
from omc.adapters.postgres import journal, refresh
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.users import user_of
from omc.errors import NotFound
from omc.trading.order import STANDING

_COLUMNS = "id, email, full_name, is_active, is_superuser, created_at, tokens_valid_from, deleted_at"
# Whatever would give the account something new waits until it is closed: a foreign key asks for this row as well.
_LOCKED = text(f"SELECT {_COLUMNS} FROM users WHERE id = :id FOR UPDATE")
_DEPLOYMENTS = text("""
    SELECT d.id, d.deployment_name, d.mode, d.status, EXISTS (
        SELECT FROM orders o WHERE o.deployed_algorithm_id = d.id AND o.status = ANY(:standing)
    ) AS under_way, EXISTS (
        SELECT FROM positions p WHERE p.deployed_algorithm_id = d.id AND p.quantity > 0
    ) AS holds
    FROM deployed_algorithms d WHERE d.user_id = :id ORDER BY d.id FOR NO KEY UPDATE OF d
""")
_MOVE = text("""
    UPDATE deployed_algorithms SET status = :status, wanted_at = clock_timestamp() WHERE id = ANY(:ids)
""")
_SHUT_OUT = text(f"""
    UPDATE users SET is_active = false, tokens_valid_from = :valid_from, updated_at = now() WHERE id = :id
    RETURNING {_COLUMNS}
""")
_LET_IN = text(f"UPDATE users SET is_active = true, updated_at = now() WHERE id = :id RETURNING {_COLUMNS}")
_SECRETS = ("coinspot_credentials", "exchange_credentials", "llm_credentials", "second_factors", "api_tokens")
_DESTROY = tuple(text(f"DELETE FROM {table} WHERE user_id = :id") for table in _SECRETS)
_UNKNOW = text("DELETE FROM login_addresses WHERE account = :account")
_DELETE = text(f"""
    UPDATE users SET email = :email, full_name = NULL, hashed_password = :hashed_password, is_active = false,
        is_superuser = false, tokens_valid_from = :valid_from, deleted_at = :at, updated_at = now()
    WHERE id = :id RETURNING {_COLUMNS}
""")


@dataclass(frozen=True, slots=True)
class PostgresClosing:
    """A Closing."""

    database: Database

    async def shut_out(self, user_id: UUID, at: datetime) -> User:
        async with self.database.transaction() as connection:
            user = await _locked(connection, user_id)
            if not user.is_active:
                return user
            active = [each.id for each in await _deployments(connection, user_id) if each.status == "active"]
            await refresh.revoke_user(connection, user_id)
            values = {"id": user_id, "valid_from": valid_from(at)}
            changed = user_of((await connection.execute(_SHUT_OUT, values)).one())
            await _move(connection, user_id, active, "paused", SHUT_OUT)
            await _tell(connection, user_id, "closed")
            return changed

    async def let_in(self, user_id: UUID) -> User:
        async with self.database.transaction() as connection:
            user = await _locked(connection, user_id)
            if user.deleted_at is not None:
                raise gone()
            if user.is_active:
                return user
            changed = user_of((await connection.execute(_LET_IN, {"id": user_id})).one())
            await _tell(connection, user_id, "opened")
            return changed

    async def delete(self, user_id: UUID, at: datetime, *, leaving_coins: bool = False) -> User | StillTrading:
        async with self.database.transaction() as connection:
            user = await _locked(connection, user_id)
            if user.deleted_at is not None:
                return user
            deployments = await _deployments(connection, user_id)
            found = [
                hindrance(
                    each.id,
                    each.deployment_name,
                    stopped=each.status == "stopped",
                    under_way=each.under_way,
                    holds=each.holds,
                    leaving_coins=leaving_coins,
                )
                for each in deployments
                if each.mode == "live"
            ]
            if hindrances := tuple(each for each in found if each is not None):
                return StillTrading(hindrances)
            for statement in _DESTROY:
                await connection.execute(statement, {"id": user_id})
            await refresh.revoke_user(connection, user_id)
            for door, who in (("login", user.email), ("password", str(user_id))):
                await connection.execute(_UNKNOW, {"account": Attempt.at(door, who, "").account})
            values = {"email": placeholder(user_id), "hashed_password": NO_PASSWORD, "valid_from": valid_from(at)}
            deleted = user_of((await connection.execute(_DELETE, {"id": user_id, "at": at, **values})).one())
            running = [each.id for each in deployments if each.status != "stopped"]
            await _move(connection, user_id, running, "stopped", DELETED)
            await _tell(connection, user_id, "deleted")
            return deleted


async def _locked(connection: AsyncConnection, user_id: UUID) -> User:
    row = (await connection.execute(_LOCKED, {"id": user_id})).first()
    if row is None:
        raise NotFound(f"there is no user {user_id}")
    return user_of(row)


async def _deployments(connection: AsyncConnection, user_id: UUID) -> list[Row[Any]]:
    standing = [each.value for each in STANDING]
    return list(await connection.execute(_DEPLOYMENTS, {"id": user_id, "standing": standing}))


async def _move(connection: AsyncConnection, user_id: UUID, ids: list[UUID], status: str, reason: str) -> None:
    if ids:
        await connection.execute(_MOVE, {"ids": ids, "status": status})
        told = {"status": status, "reason": reason}
        await journal.write(connection, *(journal.Line(user_id, "deployment", told, each) for each in ids))


async def _tell(connection: AsyncConnection, user_id: UUID, event: str) -> None:
    await journal.write(connection, journal.Line(user_id, "account", {"event": event}))
