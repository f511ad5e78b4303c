"""Backtests in PostgreSQL, which are also the queue that their workers take them from."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError

from omc.access.quota import Quota
from omc.adapters.postgres import faults, jsonb, room, specs
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.tries import count_run
from omc.backtest.run import LOST, MOST_ATTEMPTS, BacktestRun, RunStatus, tally_of
from omc.errors import Conflict, NotFound

_COLUMNS = f"""
    id, user_id, algorithm_id, algorithm_version, {specs.COLUMNS}, status, progress, results, error_message,
    execution_time_seconds, created_at, completed_at
"""
_CREATE = text(f"""
    INSERT INTO algorithm_backtest_runs (
        id, user_id, algorithm_id, algorithm_version, {specs.COLUMNS}, status, progress, results, error_message,
        execution_time_seconds, created_at, completed_at
    ) VALUES (
        :id, :user_id, :algorithm_id, :algorithm_version, {specs.VALUES}, :status, :progress,
        CAST(:results AS jsonb), :error_message, :execution_time_seconds, :created_at, :completed_at
    ) RETURNING {_COLUMNS}
""")
_GET = text(f"SELECT {_COLUMNS} FROM algorithm_backtest_runs WHERE id = :id AND user_id = :user_id")
_PAGE = text(f"""
    SELECT {_COLUMNS} FROM algorithm_backtest_runs WHERE user_id = :user_id AND algorithm_id = :algorithm_id
    ORDER BY created_at DESC, id OFFSET :offset LIMIT :limit
""")
_COUNT = text("""
    SELECT count(*) FROM algorithm_backtest_runs WHERE user_id = :user_id AND algorithm_id = :algorithm_id
""")
_DELETE = text("DELETE FROM algorithm_backtest_runs WHERE id = :id AND user_id = :user_id")
# One claim after the other: whose turn it is depends on what the last one took.
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(:queue)")
_QUEUE = 0x6F6D6362  # "omcb"
_IS_LOST = "status = 'running' AND started_at < clock_timestamp() - CAST(:stale_after AS interval)"
_GIVE_UP = text(f"""
    UPDATE algorithm_backtest_runs SET status = 'failed', error_message = :why, completed_at = now()
    WHERE {_IS_LOST} AND attempts >= :most RETURNING id
""")
# Rows that somebody else is changing at this moment are passed by rather than waited for.
_CLAIM = text(f"""
    UPDATE algorithm_backtest_runs SET status = 'running', started_at = clock_timestamp(), attempts = attempts + 1
    WHERE id = (
        SELECT run.id FROM algorithm_backtest_runs AS run
        CROSS JOIN LATERAL (
            SELECT count(*) AS running FROM algorithm_backtest_runs
            WHERE user_id = run.user_id AND status = 'running' AND NOT ({_IS_LOST})
        ) AS under_way
        CROSS JOIN LATERAL (
            SELECT max(started_at) AS at FROM algorithm_backtest_runs WHERE user_id = run.user_id
        ) AS served
        WHERE run.id IN (SELECT id FROM algorithm_backtest_runs WHERE status = 'queued' OR ({_IS_LOST}))
            AND run.user_id != ALL(CAST(:sparing AS uuid[]))
        ORDER BY under_way.running, greatest(run.created_at, served.at), run.created_at, run.id
        LIMIT 1 FOR UPDATE OF run SKIP LOCKED
    ) RETURNING {_COLUMNS}
""")
_FINISH = text("""
    UPDATE algorithm_backtest_runs SET status = CAST(:status AS varchar), results = CAST(:results AS jsonb),
        error_message = :error_message, execution_time_seconds = :execution_time_seconds, completed_at = now(),
        progress = CASE WHEN CAST(:status AS varchar) = 'completed' THEN 1 ELSE progress END
    WHERE id = :id AND status IN ('queued', 'running')
""")


@dataclass(frozen=True, slots=True)
class PostgresBacktests:
    """A BacktestStore. A run that was deleted or is over stays as it is when a late worker finishes it."""

    database: Database

    async def create(self, run: BacktestRun, most: int | None = None) -> BacktestRun:
        values = specs.values(run.spec) | {
            "id": run.id,
            "user_id": run.user_id,
            "algorithm_id": run.algorithm_id,
            "algorithm_version": run.algorithm_version,
            "status": run.status.value,
            "progress": run.progress,
            "results": None if run.results is None else jsonb.text(run.results),
            "error_message": run.error_message,
            "execution_time_seconds": run.execution_time_s,
            "created_at": run.created_at,
            "completed_at": run.completed_at,
        }
        try:
            async with (
                self.database.transaction() as connection,
                room.reserved(connection, Quota.BACKTESTS, run.user_id, most),
            ):
                return _run((await connection.execute(_CREATE, values)).one())
        except IntegrityError as error:
            if faults.constraint(error).endswith("_pkey"):
                raise Conflict(f"there is a backtest {run.id} already") from None
            raise NotFound(f"there is no algorithm {run.algorithm_id}") from None

    async def under_way(self, user_id: UUID) -> int:
        async with self.database.transaction() as connection:
            return await room.used(connection, Quota.BACKTESTS, user_id)

    async def get(self, run_id: UUID, user_id: UUID) -> BacktestRun:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_GET, {"id": run_id, "user_id": user_id})).first()
            if row is None:
                raise NotFound(f"there is no backtest {run_id}")
            return _run(row)

    async def page(self, user_id: UUID, algorithm_id: UUID, offset: int, limit: int) -> tuple[list[BacktestRun], int]:
        which = {"user_id": user_id, "algorithm_id": algorithm_id}
        async with self.database.transaction() as connection:
            rows = await connection.execute(_PAGE, which | {"offset": offset, "limit": limit})
            return [_run(row) for row in rows], (await connection.execute(_COUNT, which)).scalar_one()

    async def delete(self, run_id: UUID, user_id: UUID) -> None:
        async with self.database.transaction() as connection:
            if not (await connection.execute(_DELETE, {"id": run_id, "user_id": user_id})).rowcount:
                raise NotFound(f"there is no backtest {run_id}")

    async def claim(self, stale_after_s: float, sparing: Collection[UUID] = ()) -> BacktestRun | None:
        stale = {"stale_after": timedelta(seconds=stale_after_s)}
        async with self.database.transaction() as connection:
            await connection.execute(_ONE_BY_ONE, {"queue": _QUEUE})
            lost = await connection.execute(_GIVE_UP, stale | {"why": LOST, "most": MOST_ATTEMPTS})
            for run_id in lost.scalars():
                await count_run(connection, run_id, tally_of(None))
            row = (await connection.execute(_CLAIM, stale | {"sparing": list(sparing)})).first()
            return _run(row) if row else None

    async def finish(
        self,
        run_id: UUID,
        status: RunStatus,
        *,
        results: Mapping[str, Any] | None = None,
        error_message: str | None = None,
        execution_time_s: float | None = None,
    ) -> None:
        values = {
            "id": run_id,
            "status": status.value,
            "results": None if results is None else jsonb.text(results),
            "error_message": error_message,
            "execution_time_seconds": execution_time_s,
        }
        async with self.database.transaction() as connection:
            ended = await connection.execute(_FINISH, values)
            if ended.rowcount and status.tried:
                await count_run(connection, run_id, tally_of(results))


def _run(row: Row[Any]) -> BacktestRun:
    return BacktestRun(
        id=row.id,
        user_id=row.user_id,
        algorithm_id=row.algorithm_id,
        algorithm_version=row.algorithm_version,
        spec=specs.spec(row),
        status=RunStatus(row.status),
        progress=row.progress,
        results=row.results,
        error_message=row.error_message,
        execution_time_s=None if row.execution_time_seconds is None else float(row.execution_time_seconds),
        created_at=row.created_at,
        completed_at=row.completed_at,
    )
