"""The queue of backtests that lives in memory keeps the rules of the durable one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from omc.backtest.run import BacktestRun, BacktestSpec, MemoryBacktestStore, RunStatus
from omc.clock import ManualClock
from omc.errors import NotFound

NOW = datetime(2025, 3, 1, tzinfo=UTC)
USER, ALGORITHM = UUID(int=2), UUID(int=3)
RUN = BacktestRun(
    id=UUID(int=1),
    user_id=USER,
    algorithm_id=ALGORITHM,
    algorithm_version=1,
    spec=BacktestSpec("mean_reversion", {}, ("BTC",), NOW, NOW + timedelta(days=1), Decimal(1), 0.02),
    status=RunStatus.QUEUED,
    progress=0.0,
    results=None,
    error_message=None,
    execution_time_s=None,
    created_at=NOW,
    completed_at=None,
)


async def test_runs_are_claimed_oldest_first_and_once():
    store = MemoryBacktestStore(ManualClock(NOW))
    younger = replace(RUN, id=UUID(int=7), created_at=NOW + timedelta(seconds=1))
    await store.create(younger)
    await store.create(RUN)
    first, second = await store.claim(60), await store.claim(60)
    assert (first.id, second.id) == (RUN.id, younger.id)
    assert first.status is RunStatus.RUNNING
    assert await store.claim(60) is None


async def test_a_run_whose_worker_died_is_claimed_again():
    clock = ManualClock(NOW)
    store = MemoryBacktestStore(clock)
    await store.create(RUN)
    await store.claim(60)
    clock.advance(timedelta(seconds=61))
    assert (await store.claim(60)).id == RUN.id
    assert await store.claim(60) is None


async def test_a_finished_run_stays_as_it_is():
    store = MemoryBacktestStore(ManualClock(NOW))
    await store.create(RUN)
    await store.claim(60)
    await store.finish(RUN.id, RunStatus.COMPLETED, results={"metrics": {}}, execution_time_s=2.0)
    await store.finish(RUN.id, RunStatus.FAILED, error_message="late")
    done = await store.get(RUN.id, USER)
    assert (done.status, done.progress, done.error_message) == (RunStatus.COMPLETED, 1.0, None)
    assert done.completed_at == NOW
    await store.finish(UUID(int=99), RunStatus.FAILED)


async def test_somebody_elses_run_is_not_found():
    store = MemoryBacktestStore(ManualClock(NOW))
    await store.create(RUN)
    with pytest.raises(NotFound):
        await store.get(RUN.id, UUID(int=9))
    assert await store.page(USER, ALGORITHM, 0, 10) == ([RUN], 1)
    await store.delete(RUN.id, USER)
    assert await store.page(USER, ALGORITHM, 0, 10) == ([], 0)
