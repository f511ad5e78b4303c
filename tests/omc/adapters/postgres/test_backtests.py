"""Backtests: results come back exactly, and one worker gets one run."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from omc.adapters.postgres.algorithms import PostgresAlgorithms
from omc.adapters.postgres.backtests import PostgresBacktests
from omc.adapters.postgres.database import Database
from omc.backtest.run import BacktestRun, BacktestSpec, RunStatus
from omc.errors import InvalidInput, NotFound
from tests.omc.adapters.postgres.floor import NOON, algorithm, in_postgres

pytestmark = pytest.mark.postgres

SPEC = BacktestSpec(
    algorithm_type="moving_average",
    parameters={"fast_bars": 12, "stop_loss": 0.05},
    coins=("ETH", "BTC"),
    start=datetime(2025, 1, 1, 23, 55, tzinfo=UTC),
    end=datetime(2025, 2, 1, tzinfo=UTC),
    initial_cash_aud=Decimal("1000.00"),
    rebalance_band=0.02,
)


async def queued(database: Database, **changes) -> BacktestRun:
    user_id = await in_postgres(database).user()
    record = await PostgresAlgorithms(database).create(algorithm(user_id))
    run = BacktestRun(
        id=uuid4(),
        user_id=user_id,
        algorithm_id=record.id,
        algorithm_version=1,
        spec=SPEC,
        status=RunStatus.QUEUED,
        progress=0.0,
        results=None,
        error_message=None,
        execution_time_s=None,
        created_at=NOON,
        completed_at=None,
    )
    return await PostgresBacktests(database).create(replace(run, **changes))


async def test_a_run_comes_back_as_it_was_stored(database: Database):
    store, run = PostgresBacktests(database), await queued(database)
    assert await store.get(run.id, run.user_id) == run
    assert run.spec == SPEC
    assert await store.page(run.user_id, run.algorithm_id, 0, 9) == ([run], 1)
    for attempt in (store.get, store.delete):
        with pytest.raises(NotFound):
            await attempt(run.id, uuid4())
    await store.delete(run.id, run.user_id)
    assert await store.page(run.user_id, run.algorithm_id, 0, 9) == ([], 0)


async def test_results_come_back_to_the_last_bit(database: Database):
    store, run = PostgresBacktests(database), await queued(database)
    results = {"metrics": {"sharpe": 0.1 + 0.2, "calmar": None}, "equity": {"aud": [1000.0, 1 / 3, 5e-324, 1.7e308]}}
    await store.finish(run.id, RunStatus.COMPLETED, results=results, execution_time_s=1.25)
    done = await store.get(run.id, run.user_id)
    assert done.results == results
    assert (done.status, done.progress, done.execution_time_s) == (RunStatus.COMPLETED, 1.0, 1.25)
    assert done.completed_at is not None


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
async def test_a_number_that_is_not_finite_is_refused(database: Database, number: float):
    store, run = PostgresBacktests(database), await queued(database)
    with pytest.raises(InvalidInput, match="not finite"):
        await store.finish(run.id, RunStatus.COMPLETED, results={"metrics": {"sharpe": number}})
    assert (await store.get(run.id, run.user_id)).status is RunStatus.QUEUED


async def test_what_is_over_stays_as_it_is(database: Database):
    store, run = PostgresBacktests(database), await queued(database)
    await store.finish(run.id, RunStatus.CANCELLED)
    await store.finish(run.id, RunStatus.COMPLETED, results={})
    assert (await store.get(run.id, run.user_id)).status is RunStatus.CANCELLED
    await store.finish(uuid4(), RunStatus.COMPLETED, results={})


async def test_the_oldest_run_goes_to_one_worker_and_back_when_it_died(fresh_database: Database):
    store = PostgresBacktests(fresh_database)
    runs = [await queued(fresh_database, created_at=NOON + timedelta(minutes=n)) for n in range(3)]
    claimed = await asyncio.gather(*(store.claim(60.0) for _ in range(4)))
    assert sorted(run.id for run in claimed if run) == sorted(run.id for run in runs)
    assert claimed.count(None) == 1
    assert await store.claim(60.0) is None
    again = await store.claim(0.0)
    assert again is not None
    assert (again.id, again.status) == (runs[0].id, RunStatus.RUNNING)


async def test_a_run_needs_an_algorithm(database: Database):
    run = await queued(database)
    with pytest.raises(NotFound):
        await PostgresBacktests(database).create(replace(run, id=uuid4(), algorithm_id=uuid4()))
