"""Fitted models in PostgreSQL. Their content is bytes here, which no listing reads."""

# ruff: noqa: S608 - statements are composed of the constants below

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.quota import Quota, check_bytes, check_room
from omc.adapters.postgres import jsonb
from omc.adapters.postgres.database import Database
from omc.errors import Conflict, NotFound
from omc.strategy.fitted_model import Lineage, ModelRecord
from omc.strategy.model_store import IN_USE, no_model

_COLUMNS = """
    m.id, m.user_id, m.algorithm_id, m.algorithm_version, m.content_hash, m.size_bytes, m.lineage, m.created_at
"""
# What was ever deployed is only hidden when it is deleted, and its models with it.
_MINE = "fitted_models m JOIN algorithms a ON a.id = m.algorithm_id AND a.deleted_at IS NULL"
_KEEP = text("""
    INSERT INTO fitted_models (id, user_id, algorithm_id, algorithm_version, content_hash, content, size_bytes,
        lineage_hash, lineage, created_at)
    SELECT :id, user_id, id, :algorithm_version, :content_hash, :content, :size_bytes, :lineage_hash,
        CAST(:lineage AS jsonb), :created_at
    FROM algorithms WHERE id = :algorithm_id AND user_id = :user_id AND deleted_at IS NULL FOR KEY SHARE
    ON CONFLICT (algorithm_id, content_hash, lineage_hash) DO NOTHING
""")
_KEPT = text(f"""
    SELECT {_COLUMNS} FROM {_MINE} WHERE m.algorithm_id = :algorithm_id AND m.user_id = :user_id
        AND m.content_hash = :content_hash AND m.lineage_hash = :lineage_hash
""")
_GET = text(f"SELECT {_COLUMNS} FROM {_MINE} WHERE m.id = :id AND m.user_id = :user_id")
_CONTENT = text(f"SELECT m.content FROM {_MINE} WHERE m.id = :id AND m.user_id = :user_id")
_PAGE = text(f"""
    SELECT {_COLUMNS} FROM {_MINE} WHERE m.user_id = :user_id AND m.algorithm_id = :algorithm_id
    ORDER BY m.created_at DESC, m.id OFFSET :offset LIMIT :limit
""")
_COUNT = text(f"SELECT count(*) FROM {_MINE} WHERE m.user_id = :user_id AND m.algorithm_id = :algorithm_id")
# Of two that ask for the last room at once, the second waits here until the first has taken it.
_OWNER = text("SELECT 1 FROM users WHERE id = :user_id FOR NO KEY UPDATE")
_USED_ROOM = text(f"SELECT count(*), coalesce(sum(m.size_bytes), 0) FROM {_MINE} WHERE m.user_id = :user_id")
# Whoever deploys with it at this moment waits, and finds it gone.
_LOCK = text(f"SELECT m.id FROM {_MINE} WHERE m.id = :id AND m.user_id = :user_id FOR UPDATE OF m")
_USED = text("SELECT count(*) FROM deployed_algorithms WHERE model_id = :id AND status <> 'stopped'")
# One that was stopped for good has no use for it any more.
_LET_GO = text("UPDATE deployed_algorithms SET model_id = NULL WHERE model_id = :id")
_DELETE = text("DELETE FROM fitted_models WHERE id = :id")


@dataclass(frozen=True, slots=True)
class PostgresModels:
    """A ModelStore."""

    database: Database

    async def keep(
        self, record: ModelRecord, content: bytes, most: int | None = None, most_bytes: int | None = None
    ) -> ModelRecord:
        values = {
            "id": record.id,
            "user_id": record.user_id,
            "algorithm_id": record.algorithm_id,
            "algorithm_version": record.algorithm_version,
            "content_hash": record.content_hash,
            "content": content,
            "size_bytes": record.size_bytes,
            "lineage_hash": record.lineage.hash,
            "lineage": jsonb.text(_said(record.lineage)),
            "created_at": record.created_at,
        }
        try:
            async with self.database.transaction() as connection:
                await connection.execute(_OWNER, {"user_id": record.user_id})
                if (await connection.execute(_KEEP, values)).rowcount:
                    many, size = await _room(connection, record.user_id)
                    check_room(Quota.MODELS, many - 1, most)
                    check_bytes(size - record.size_bytes, record.size_bytes, most_bytes)
                names = ("user_id", "algorithm_id", "content_hash", "lineage_hash")
                row = (await connection.execute(_KEPT, {name: values[name] for name in names})).first()
        except IntegrityError:
            raise Conflict(f"there is a model {record.id} already") from None
        if row is None:
            raise NotFound(f"there is no algorithm {record.algorithm_id}")
        return _record(row)

    async def held_by(self, user_id: UUID) -> tuple[int, int]:
        async with self.database.transaction() as connection:
            return await _room(connection, user_id)

    async def get(self, model_id: UUID, user_id: UUID) -> ModelRecord:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_GET, {"id": model_id, "user_id": user_id})).first()
        if row is None:
            raise no_model(model_id)
        return _record(row)

    async def content(self, model_id: UUID, user_id: UUID) -> bytes:
        async with self.database.transaction() as connection:
            found = (await connection.execute(_CONTENT, {"id": model_id, "user_id": user_id})).scalar_one_or_none()
        if found is None:
            raise no_model(model_id)
        return bytes(found)

    async def page(self, user_id: UUID, algorithm_id: UUID, offset: int, limit: int) -> tuple[list[ModelRecord], int]:
        which = {"user_id": user_id, "algorithm_id": algorithm_id}
        async with self.database.transaction() as connection:
            rows = await connection.execute(_PAGE, which | {"offset": offset, "limit": limit})
            return [_record(row) for row in rows], (await connection.execute(_COUNT, which)).scalar_one()

    async def delete(self, model_id: UUID, user_id: UUID) -> None:
        which = {"id": model_id}
        async with self.database.transaction() as connection:
            if (await connection.execute(_LOCK, which | {"user_id": user_id})).first() is None:
                raise no_model(model_id)
            if (await connection.execute(_USED, which)).scalar_one():
                raise Conflict(IN_USE)
            await connection.execute(_LET_GO, which)
            await connection.execute(_DELETE, which)


async def _room(connection: AsyncConnection, user_id: UUID) -> tuple[int, int]:
    many, size = (await connection.execute(_USED_ROOM, {"user_id": user_id})).one()
    return int(many), int(size)


_TIMES = ("start", "end", "first_bar", "last_bar")


def _said(lineage: Lineage) -> dict[str, Any]:
    return {**asdict(lineage), **{name: getattr(lineage, name).isoformat() for name in _TIMES}}


def _record(row: Row[Any]) -> ModelRecord:
    said = row.lineage
    times = {name: datetime.fromisoformat(said[name]) for name in _TIMES}
    lineage = Lineage(**{**said, **times, "coins": tuple(said["coins"])})
    return ModelRecord(**{**row._asdict(), "lineage": lineage})
