"""Algorithms in PostgreSQL: every version that ever was stays, because deployments and trades refer to it."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.quota import Quota
from omc.adapters.postgres import faults, jsonb, room
from omc.adapters.postgres.database import Database
from omc.errors import Conflict, NotFound
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus, AlgorithmVersion, check_unchanged, content_hash

_COLUMNS = """
    id, user_id, name, description, algorithm_type, code, parameters, status, version, created_at, updated_at
"""
_MINE = "id = :id AND user_id = :user_id AND deleted_at IS NULL"
_CREATE = text(f"""
    INSERT INTO algorithms ({_COLUMNS}) VALUES (
        :id, :user_id, :name, :description, :algorithm_type, :code, CAST(:parameters AS jsonb), :status, :version,
        :created_at, :updated_at
    ) RETURNING {_COLUMNS}
""")
_ADD_VERSION = text("""
    INSERT INTO algorithm_versions (algorithm_id, version, code, parameters, content_hash)
    VALUES (:id, :version, :code, CAST(:parameters AS jsonb), :content_hash)
""")
_GET = text(f"SELECT {_COLUMNS} FROM algorithms WHERE {_MINE}")
_LOCK = text(f"SELECT {_COLUMNS} FROM algorithms WHERE {_MINE} FOR UPDATE")
_HASH = text("SELECT content_hash FROM algorithm_versions WHERE algorithm_id = :id AND version = :version")
_UPDATE = text(f"""
    UPDATE algorithms SET name = :name, description = :description, algorithm_type = :algorithm_type, code = :code,
        parameters = CAST(:parameters AS jsonb), status = :status, version = :version, updated_at = now()
    WHERE {_MINE} RETURNING {_COLUMNS}
""")
_SET_STATUS = text(f"UPDATE algorithms SET status = :status, updated_at = now() WHERE {_MINE} RETURNING {_COLUMNS}")
_FILTER = "user_id = :user_id AND deleted_at IS NULL AND (status = ANY(:statuses) OR cardinality(:statuses) = 0)"
_PAGE = text(f"""
    SELECT {_COLUMNS} FROM algorithms WHERE {_FILTER} ORDER BY created_at DESC, id OFFSET :offset LIMIT :limit
""")
_COUNT = text(f"SELECT count(*) FROM algorithms WHERE {_FILTER}")
_VERSIONS = text("""
    SELECT algorithm_id, version, code, parameters, content_hash, created_at FROM algorithm_versions
    WHERE algorithm_id = :id ORDER BY version
""")
_VERSION = text("""
    SELECT algorithm_id, version, code, parameters, content_hash, created_at FROM algorithm_versions
    WHERE algorithm_id = :id AND version = :version
""")
_DEPLOYMENTS = text("SELECT status FROM deployed_algorithms WHERE algorithm_id = :id")
_DELETE = text("DELETE FROM algorithms WHERE id = :id")
# What was ever deployed is only hidden: its trades go on referring to it.
_HIDE = text("UPDATE algorithms SET deleted_at = now() WHERE id = :id")


@dataclass(frozen=True, slots=True)
class PostgresAlgorithms:
    """An AlgorithmStore."""

    database: Database

    async def create(self, record: AlgorithmRecord, most: int | None = None) -> AlgorithmRecord:
        values = _values(record) | {
            "status": record.status.value,
            "version": record.version,
            "created_at": record.created_at,
            "updated_at": record.updated_at,
        }
        try:
            async with (
                self.database.transaction() as connection,
                room.reserved(connection, Quota.ALGORITHMS, record.user_id, most),
            ):
                row = (await connection.execute(_CREATE, values)).one()
                await _add_version(connection, record, record.version)
                return _record(row)
        except IntegrityError as error:
            if faults.constraint(error) == "algorithms_user_id_fkey":
                raise NotFound(f"there is no user {record.user_id}") from None
            raise Conflict(f"there is an algorithm {record.id} already") from None

    async def get(self, algorithm_id: UUID, user_id: UUID) -> AlgorithmRecord:
        async with self.database.transaction() as connection:
            return _found(
                (await connection.execute(_GET, {"id": algorithm_id, "user_id": user_id})).first(), algorithm_id
            )

    async def page(
        self, user_id: UUID, offset: int, limit: int, statuses: Sequence[AlgorithmStatus] = ()
    ) -> tuple[list[AlgorithmRecord], int]:
        which = {"user_id": user_id, "statuses": [status.value for status in statuses]}
        async with self.database.transaction() as connection:
            rows = await connection.execute(_PAGE, which | {"offset": offset, "limit": limit})
            total = (await connection.execute(_COUNT, which)).scalar_one()
            return [_record(row) for row in rows], total

    async def update(self, record: AlgorithmRecord, seen: AlgorithmRecord | None = None) -> AlgorithmRecord:
        edit = _values(record)
        async with self.database.transaction() as connection:
            stored = await _locked(connection, record.id, record.user_id)
            check_unchanged(stored, seen)
            version, status = stored.version, stored.status.value
            known = await connection.execute(_HASH, {"id": record.id, "version": version})
            if known.scalar_one() != _hash(record):
                version, status = version + 1, AlgorithmStatus.DRAFT.value
                await _add_version(connection, record, version)
            edit |= {"version": version, "status": status}
            return _found((await connection.execute(_UPDATE, edit)).first(), record.id)

    async def delete(self, algorithm_id: UUID, user_id: UUID) -> None:
        async with self.database.transaction() as connection:
            await _locked(connection, algorithm_id, user_id)
            statuses = (await connection.execute(_DEPLOYMENTS, {"id": algorithm_id})).scalars().all()
            if any(status != "stopped" for status in statuses):
                raise Conflict("a deployment of this algorithm is not stopped: deactivate it first")
            await connection.execute(_HIDE if statuses else _DELETE, {"id": algorithm_id})

    async def versions(self, algorithm_id: UUID, user_id: UUID) -> list[AlgorithmVersion]:
        await self.get(algorithm_id, user_id)
        async with self.database.transaction() as connection:
            rows = await connection.execute(_VERSIONS, {"id": algorithm_id})
            return [AlgorithmVersion(*row) for row in rows]

    async def version(self, algorithm_id: UUID, user_id: UUID, number: int) -> AlgorithmVersion:
        await self.get(algorithm_id, user_id)
        async with self.database.transaction() as connection:
            row = (await connection.execute(_VERSION, {"id": algorithm_id, "version": number})).first()
        if row is None:
            raise NotFound(f"the algorithm has no version {number}")
        return AlgorithmVersion(*row)

    async def set_status(
        self, algorithm_id: UUID, user_id: UUID, status: AlgorithmStatus, seen: AlgorithmRecord | None = None
    ) -> AlgorithmRecord:
        values = {"id": algorithm_id, "user_id": user_id, "status": status.value}
        async with self.database.transaction() as connection:
            check_unchanged(await _locked(connection, algorithm_id, user_id), seen)
            return _found((await connection.execute(_SET_STATUS, values)).first(), algorithm_id)


async def _locked(connection: AsyncConnection, algorithm_id: UUID, user_id: UUID) -> AlgorithmRecord:
    return _found((await connection.execute(_LOCK, {"id": algorithm_id, "user_id": user_id})).first(), algorithm_id)


async def _add_version(connection: AsyncConnection, record: AlgorithmRecord, version: int) -> None:
    values = {
        "id": record.id,
        "version": version,
        "code": record.code,
        "parameters": jsonb.text(record.parameters),
        "content_hash": _hash(record),
    }
    await connection.execute(_ADD_VERSION, values)


def _hash(record: AlgorithmRecord) -> str:
    return content_hash(record.algorithm_type, record.code, record.parameters)


def _values(record: AlgorithmRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "user_id": record.user_id,
        "name": record.name,
        "description": record.description,
        "algorithm_type": record.algorithm_type,
        "code": record.code,
        "parameters": jsonb.text(record.parameters),
    }


def _found(row: Row[Any] | None, algorithm_id: UUID) -> AlgorithmRecord:
    if row is None:
        raise NotFound(f"there is no algorithm {algorithm_id}")
    return _record(row)


def _record(row: Row[Any]) -> AlgorithmRecord:
    return AlgorithmRecord(**{**row._asdict(), "status": AlgorithmStatus(row.status)})
