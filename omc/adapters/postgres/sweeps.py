"""Sweeps in PostgreSQL, with every point tried: what was tried and lost belongs to the record too."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import faults, jsonb, specs
from omc.adapters.postgres.database import Database
from omc.backtest.run import RunStatus
from omc.backtest.sweep import Sweep, SweepPoint
from omc.errors import Conflict, NotFound

_COLUMNS = f"""
    id, user_id, algorithm_id, algorithm_version, {specs.COLUMNS}, space, method, points, seed, objective, status,
    done, best, error_message, created_at, started_at, completed_at
"""
_CREATE = text(f"""
    INSERT INTO sweeps ({_COLUMNS}) VALUES (
        :id, :user_id, :algorithm_id, :algorithm_version, {specs.VALUES}, CAST(:space AS jsonb), :method, :points,
        :seed, :objective, :status, :done, CAST(:best AS jsonb), :error_message, :created_at, :started_at, :completed_at
    ) RETURNING {_COLUMNS}
""")
_GET = text(f"""
    SELECT {_COLUMNS} FROM sweeps WHERE id = :id AND (CAST(:user_id AS uuid) IS NULL OR user_id = :user_id)
""")
_LOCK = text(f"SELECT {_COLUMNS} FROM sweeps WHERE id = :id FOR NO KEY UPDATE")
_PAGE = text(f"""
    SELECT {_COLUMNS} FROM sweeps WHERE user_id = :user_id ORDER BY created_at DESC, id OFFSET :offset LIMIT :limit
""")
_COUNT = text("SELECT count(*) FROM sweeps WHERE user_id = :user_id")
_START = text(f"""
    UPDATE sweeps SET status = 'running', started_at = coalesce(started_at, now()) WHERE id = :id RETURNING {_COLUMNS}
""")
_FINISH = text(f"""
    UPDATE sweeps SET status = :status, error_message = :error_message, completed_at = now() WHERE id = :id
    RETURNING {_COLUMNS}
""")
_ADD = text("""
    INSERT INTO trials (sweep_id, index, parameters, metrics, error_message)
    VALUES (:sweep_id, :index, CAST(:parameters AS jsonb), CAST(:metrics AS jsonb), :error_message)
    ON CONFLICT (sweep_id, index) DO UPDATE SET parameters = excluded.parameters, metrics = excluded.metrics,
        error_message = excluded.error_message
""")
_COUNT_UP = text(f"""
    UPDATE sweeps SET done = (SELECT count(*) FROM trials WHERE sweep_id = :id), best = (
        SELECT jsonb_build_object('index', index, 'parameters', parameters, 'metrics', metrics) FROM trials
        WHERE sweep_id = :id AND metrics ->> sweeps.objective IS NOT NULL
        ORDER BY CAST(metrics ->> sweeps.objective AS float8) DESC, index LIMIT 1
    ) WHERE id = :id RETURNING {_COLUMNS}
""")
_INDICES = text("SELECT index FROM trials WHERE sweep_id = :id")
_TRIALS = text("SELECT count(*) FROM trials WHERE sweep_id = :id")


def _ranked(order: str) -> TextClause:
    return text(f"""
        SELECT index, parameters, metrics, error_message FROM trials WHERE sweep_id = :id
        ORDER BY {order} OFFSET :offset LIMIT :limit
    """)


_BY_METRIC = {
    descending: _ranked(f"CAST(metrics ->> :sort AS float8) {'DESC' if descending else 'ASC'} NULLS LAST, index")
    for descending in (False, True)
}
_BY_INDEX = {False: _ranked("index"), True: _ranked("index DESC")}


@dataclass(frozen=True, slots=True)
class PostgresSweeps:
    """A SweepStore."""

    database: Database

    async def create(self, sweep: Sweep) -> Sweep:
        values = specs.values(sweep.spec) | {
            "id": sweep.id,
            "user_id": sweep.user_id,
            "algorithm_id": sweep.algorithm_id,
            "algorithm_version": sweep.algorithm_version,
            "space": jsonb.text(sweep.space),
            "method": sweep.method,
            "points": sweep.points,
            "seed": sweep.seed,
            "objective": sweep.objective,
            "status": sweep.status.value,
            "done": sweep.done,
            "best": None if sweep.best is None else jsonb.text(sweep.best),
            "error_message": sweep.error_message,
            "created_at": sweep.created_at,
            "started_at": sweep.started_at,
            "completed_at": sweep.completed_at,
        }
        try:
            async with self.database.transaction() as connection:
                return _sweep((await connection.execute(_CREATE, values)).one())
        except IntegrityError as error:
            if faults.constraint(error).endswith("_pkey"):
                raise Conflict(f"there is a sweep {sweep.id} already") from None
            raise NotFound(f"there is no algorithm {sweep.algorithm_id}") from None

    async def get(self, sweep_id: UUID, user_id: UUID | None = None) -> Sweep:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_GET, {"id": sweep_id, "user_id": user_id})).first()
            return _found(row, sweep_id)

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Sweep], int]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(_PAGE, {"user_id": user_id, "offset": offset, "limit": limit})
            total = (await connection.execute(_COUNT, {"user_id": user_id})).scalar_one()
            return [_sweep(row) for row in rows], total

    async def start(self, sweep_id: UUID) -> Sweep:
        async with self.database.transaction() as connection:
            sweep = await _locked(connection, sweep_id)
            if sweep.status.over:
                raise Conflict(f"the sweep is {sweep.status} already")
            return _sweep((await connection.execute(_START, {"id": sweep_id})).one())

    async def add(self, sweep_id: UUID, points: Sequence[SweepPoint]) -> Sweep:
        values = [
            {
                "sweep_id": sweep_id,
                "index": point.index,
                "parameters": jsonb.text(point.parameters),
                "metrics": jsonb.text(point.metrics),
                "error_message": point.error,
            }
            for point in points
        ]
        async with self.database.transaction() as connection:
            await _locked(connection, sweep_id)
            if values:
                await connection.execute(_ADD, values)
            return _sweep((await connection.execute(_COUNT_UP, {"id": sweep_id})).one())

    async def indices(self, sweep_id: UUID) -> frozenset[int]:
        async with self.database.transaction() as connection:
            return frozenset((await connection.execute(_INDICES, {"id": sweep_id})).scalars())

    async def results(
        self, sweep_id: UUID, user_id: UUID, sort: str, descending: bool, offset: int, limit: int
    ) -> tuple[list[SweepPoint], int]:
        await self.get(sweep_id, user_id)
        page: dict[str, Any] = {"id": sweep_id, "offset": offset, "limit": limit}
        async with self.database.transaction() as connection:
            if sort == "index":
                rows = await connection.execute(_BY_INDEX[descending], page)
            else:
                rows = await connection.execute(_BY_METRIC[descending], page | {"sort": sort})
            total = (await connection.execute(_TRIALS, {"id": sweep_id})).scalar_one()
            return [SweepPoint(*row) for row in rows], total

    async def finish(self, sweep_id: UUID, status: RunStatus, error_message: str | None = None) -> Sweep:
        async with self.database.transaction() as connection:
            sweep = await _locked(connection, sweep_id)
            if sweep.status.over:
                return sweep
            values = {"id": sweep_id, "status": status.value, "error_message": error_message}
            return _sweep((await connection.execute(_FINISH, values)).one())


async def _locked(connection: AsyncConnection, sweep_id: UUID) -> Sweep:
    return _found((await connection.execute(_LOCK, {"id": sweep_id})).first(), sweep_id)


def _found(row: Row[Any] | None, sweep_id: UUID) -> Sweep:
    if row is None:
        raise NotFound(f"there is no sweep {sweep_id}")
    return _sweep(row)


def _sweep(row: Row[Any]) -> Sweep:
    return Sweep(
        id=row.id,
        user_id=row.user_id,
        algorithm_id=row.algorithm_id,
        algorithm_version=row.algorithm_version,
        spec=specs.spec(row),
        space=row.space,
        method=row.method,
        points=row.points,
        seed=row.seed,
        objective=row.objective,
        status=RunStatus(row.status),
        done=row.done,
        best=row.best,
        error_message=row.error_message,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )
