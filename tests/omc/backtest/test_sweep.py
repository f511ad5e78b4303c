"""The store of sweeps that lives in memory keeps the rules of the durable one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from omc.backtest.run import BacktestSpec, RunStatus
from omc.backtest.sweep import MemorySweepStore, Sweep
from omc.backtest.tried import SweepPoint, Tried
from omc.clock import ManualClock
from omc.errors import Conflict, NotFound

NOW = datetime(2025, 3, 1, tzinfo=UTC)
USER = UUID(int=2)
SWEEP = Sweep(
    id=UUID(int=1),
    user_id=USER,
    algorithm_id=UUID(int=3),
    algorithm_version=1,
    spec=BacktestSpec("mean_reversion", {}, ("BTC",), NOW, NOW + timedelta(days=1), Decimal(1), 0.02),
    space={"window_bars": [12, 24]},
    method="grid",
    points=4,
    seed=7,
    objective="sharpe",
    status=RunStatus.QUEUED,
    done=0,
    best=None,
    error_message=None,
    created_at=NOW,
    started_at=None,
    completed_at=None,
)


def point(index: int, sharpe: float | None) -> SweepPoint:
    return SweepPoint(index, {"window_bars": index}, {"sharpe": sharpe, "trades": 1.0})


async def stored() -> MemorySweepStore:
    store = MemorySweepStore(ManualClock(NOW))
    await store.create(SWEEP)
    await store.start(SWEEP.id)
    return store


async def test_points_are_ranked_and_those_without_the_metric_come_last():
    store = await stored()
    await store.add(SWEEP.id, Tried.of([point(0, 0.5), point(1, None), point(2, 2.0), point(3, 0.5)]))
    for descending, order in ((True, [2, 0, 3, 1]), (False, [0, 3, 2, 1])):
        assert await store.ranking(SWEEP.id, USER, "sharpe", descending) == (order, 4)
    assert await store.ranking(SWEEP.id, USER, "index", True, 1, 2) == ([2, 1], 4)


async def test_a_point_stored_again_replaces_itself():
    store = await stored()
    await store.add(SWEEP.id, Tried.of([point(0, 0.5), point(1, 1.0)]))
    sweep = await store.add(SWEEP.id, Tried.of([point(1, 0.1)]))
    assert (sweep.done, list(store.points[SWEEP.id])) == (2, [0, 1])
    assert sweep.best == {"index": 0, "parameters": {"window_bars": 0}, "metrics": {"sharpe": 0.5, "trades": 1.0}}


async def test_without_the_objective_there_is_no_best():
    store = await stored()
    assert (await store.add(SWEEP.id, Tried.of([point(0, None)]))).best is None


async def test_a_sweep_that_is_over_stays_so():
    store = await stored()
    await store.finish(SWEEP.id, RunStatus.CANCELLED)
    ended = await store.finish(SWEEP.id, RunStatus.FAILED, "late")
    assert (ended.status, ended.error_message, ended.completed_at) == (RunStatus.CANCELLED, None, NOW)
    with pytest.raises(Conflict):
        await store.start(SWEEP.id)


async def test_somebody_elses_sweep_is_not_found():
    store = await stored()
    with pytest.raises(NotFound):
        await store.ranking(SWEEP.id, UUID(int=9), "index", False)
    assert (await store.get(SWEEP.id)).started_at == NOW
    assert (await store.page(USER, 0, 10))[1] == 1
