"""Sealed keys in PostgreSQL: a table for CoinSpot's, one for other exchanges', one for those of language models."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.credential import Access, Credential, Keyhole, Use
from omc.access.credential_store import exists_already, in_use, nothing_there, paused_because
from omc.access.vault import key_id
from omc.adapters.postgres import faults, journal, keyed
from omc.adapters.postgres.database import Database
from omc.errors import NotFound

_OPEN = "id, user_id, hint, access, last_validated_at, message, withdrawals_disabled, updated_at"


@dataclass(frozen=True, slots=True)
class _Table:
    """One of the three: the column that names what a key is for, where it has one, and those that are sealed."""

    name: str
    use: Use
    named_by: str | None
    fields: tuple[str, ...]

    @property
    def columns(self) -> str:
        named = f"{self.named_by} AS name" if self.named_by else "'coinspot' AS name"
        return ", ".join((_OPEN, named, *(f"{each}_encrypted" for each in self.fields)))

    @property
    def where(self) -> str:
        return "user_id = :user_id" + (f" AND {self.named_by} = :name" if self.named_by else "")

    def credential(self, row: Row[Any]) -> Credential:
        sealed = {each: getattr(row, f"{each}_encrypted") for each in self.fields}
        return Credential(
            id=row.id,
            user_id=row.user_id,
            keyhole=Keyhole(self.use, row.name),
            hint=row.hint,
            sealed={name: bytes(value).decode("ascii", "replace") for name, value in sealed.items() if value},
            stored_at=row.updated_at,
            access=Access(row.access) if row.access else None,
            checked_at=row.last_validated_at,
            message=row.message,
            withdrawals_disabled=row.withdrawals_disabled,
        )


_TABLES = {
    table.name: table
    for table in (
        _Table("coinspot_credentials", Use.EXCHANGE, None, ("api_key", "api_secret")),
        _Table("exchange_credentials", Use.EXCHANGE, "exchange", ("api_key", "api_secret", "passphrase")),
        _Table("llm_credentials", Use.LLM, "provider", ("api_key",)),
    )
}


@dataclass(frozen=True, slots=True)
class PostgresCredentials:
    """A CredentialStore."""

    database: Database

    async def add(self, credential: Credential) -> Credential:
        table = _TABLES[credential.keyhole.table]
        values = _values(table, credential)
        columns, named = ", ".join(values), ", ".join(f":{each}" for each in values)
        statement = text(f"INSERT INTO {table.name} ({columns}) VALUES ({named}) RETURNING {table.columns}")
        try:
            async with self.database.transaction() as connection:
                added = table.credential((await connection.execute(statement, values)).one())
                await _tell(connection, added, "stored")
                return added
        except IntegrityError as error:
            if faults.constraint(error).endswith("_fkey"):
                raise NotFound(f"there is no user {credential.user_id}") from None
            raise exists_already(credential.keyhole) from None

    async def replace(self, credential: Credential) -> Credential:
        table = _TABLES[credential.keyhole.table]
        values = _values(table, credential)
        changed = ", ".join(f"{each} = :{each}" for each in values if each not in ("user_id", table.named_by))
        statement = text(f"""
            UPDATE {table.name} SET {changed}, access = NULL, message = NULL, is_validated = false,
                last_validated_at = NULL, updated_at = now()
            WHERE {table.where} RETURNING {table.columns}
        """)
        async with self.database.transaction() as connection:
            await keyed.live(connection, credential.user_id, credential.keyhole)
            await _check_settled(connection, table, credential.user_id, credential.keyhole)
            row = (await connection.execute(statement, values | _keyhole(credential.keyhole))).first()
            replaced = _found(table, row, credential.keyhole)
            await _tell(connection, replaced, "replaced")
            return replaced

    async def get(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        table = _TABLES[keyhole.table]
        statement = text(f"SELECT {table.columns} FROM {table.name} WHERE {table.where}")
        async with self.database.transaction() as connection:
            row = (await connection.execute(statement, {"user_id": user_id, **_keyhole(keyhole)})).first()
            return _found(table, row, keyhole)

    async def of(self, user_id: UUID) -> list[Credential]:
        found: list[Credential] = []
        async with self.database.transaction() as connection:
            for table in _TABLES.values():
                statement = text(f"SELECT {table.columns} FROM {table.name} WHERE user_id = :user_id")
                found += [table.credential(row) for row in await connection.execute(statement, {"user_id": user_id})]
        return sorted(found, key=lambda each: (each.keyhole.use, each.keyhole.name))

    async def examined(self, credential: Credential, access: Access, message: str | None) -> Credential:
        table = _TABLES[credential.keyhole.table]
        statement = text(f"""
            UPDATE {table.name} SET access = :access, message = :message, is_validated = :validated,
                last_validated_at = now()
            WHERE id = :id RETURNING {table.columns}
        """)
        values = {"id": credential.id, "access": access.value, "message": message}
        async with self.database.transaction() as connection:
            reason, paused = paused_because(credential.keyhole, message), list[UUID]()
            if access is not Access.FULL:
                paused = await keyed.paused(connection, credential.user_id, credential.keyhole, reason)
            row = (await connection.execute(statement, values | {"validated": access is not Access.REFUSED})).first()
            told = _found(table, row, credential.keyhole)
            await _tell(connection, told, "examined", access=access.value, message=message, paused=paused)
            return told

    async def promise(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        table = _TABLES[keyhole.table]
        statement = text(
            f"UPDATE {table.name} SET withdrawals_disabled = true WHERE {table.where} RETURNING {table.columns}"
        )
        async with self.database.transaction() as connection:
            row = (await connection.execute(statement, {"user_id": user_id, **_keyhole(keyhole)})).first()
            promised = _found(table, row, keyhole)
            await _tell(connection, promised, "promised")
            return promised

    async def delete(self, user_id: UUID, keyhole: Keyhole) -> None:
        table, owned = _TABLES[keyhole.table], {"user_id": user_id, **_keyhole(keyhole)}
        statement = text(f"DELETE FROM {table.name} WHERE {table.where} RETURNING {table.columns}")
        async with self.database.transaction() as connection:
            for each in await keyed.live(connection, user_id, keyhole):
                if each.status == "active":
                    raise in_use(keyhole, each.deployment_name)
            await _check_settled(connection, table, user_id, keyhole)
            row = (await connection.execute(statement, owned)).first()
            await _tell(connection, _found(table, row, keyhole), "deleted")

    async def hold(self, user_id: UUID, keyhole: Keyhole, reason: str) -> list[UUID]:
        async with self.database.transaction() as connection:
            return await keyed.paused(connection, user_id, keyhole, reason)

    async def vault_keys(self) -> frozenset[str]:
        found: set[str] = set()
        async with self.database.transaction() as connection:
            for table in _TABLES.values():
                for each in table.fields:
                    column = f"encode({each}_encrypted, 'escape')"
                    statement = text(f"SELECT DISTINCT {column} AS sealed FROM {table.name} WHERE {column} IS NOT NULL")
                    found |= {key_id(row.sealed) for row in await connection.execute(statement)}
        return frozenset(found)

    async def sealed_otherwise(self, vault_key: str) -> list[Credential]:
        found: list[Credential] = []
        async with self.database.transaction() as connection:
            for table in _TABLES.values():
                statement = text(f"SELECT {table.columns} FROM {table.name} ORDER BY user_id")
                rows = [table.credential(row) for row in await connection.execute(statement)]
                found += [each for each in rows if not each.sealed_under(vault_key)]
        return found

    async def reseal(self, credential: Credential) -> bool:
        table = _TABLES[credential.keyhole.table]
        fields = {f"{name}_encrypted": sealed.encode() for name, sealed in credential.sealed.items()}
        changed = ", ".join(f"{each} = :{each}" for each in fields)
        statement = text(f"UPDATE {table.name} SET {changed} WHERE id = :id")
        async with self.database.transaction() as connection:
            if not (await connection.execute(statement, {**fields, "id": credential.id})).rowcount:
                return False
            await _tell(connection, credential, "resealed")
            return True


def _keyhole(keyhole: Keyhole) -> dict[str, str]:
    return {} if keyhole.table == "coinspot_credentials" else {"name": keyhole.name}


def _values(table: _Table, credential: Credential) -> dict[str, Any]:
    named = {table.named_by: credential.keyhole.name} if table.named_by else {}
    sealed = {f"{each}_encrypted": credential.sealed.get(each) for each in table.fields}
    return {
        "id": credential.id,
        "user_id": credential.user_id,
        **named,
        **{name: value.encode() if value is not None else None for name, value in sealed.items()},
        "hint": credential.hint,
        "withdrawals_disabled": credential.withdrawals_disabled,
    }


def _found(table: _Table, row: Row[Any] | None, keyhole: Keyhole) -> Credential:
    if row is None:
        raise nothing_there(keyhole)
    return table.credential(row)


async def _check_settled(connection: AsyncConnection, table: _Table, user_id: UUID, keyhole: Keyhole) -> None:
    """Conflict while an order is under way that a stored key was sent with, and may still be executed."""
    statement = text(f"SELECT access FROM {table.name} WHERE {table.where} FOR NO KEY UPDATE")
    stored = (await connection.execute(statement, {"user_id": user_id, **_keyhole(keyhole)})).first()
    if stored is not None and stored.access != Access.REFUSED:
        await keyed.check_settled(connection, user_id, keyhole)


async def _tell(connection: AsyncConnection, credential: Credential, event: str, **data: Any) -> None:
    keyhole = credential.keyhole
    told: Mapping[str, Any] = {"event": event, "use": keyhole.use.value, "name": keyhole.name, **data}
    await journal.write(connection, journal.Line(credential.user_id, "credentials", told))
