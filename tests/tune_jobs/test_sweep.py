"""A sweep on Ray Tune tries every point once, stores as it goes, and stops and goes on when told."""

import asyncio
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import ray

from omc.backtest.ground import Ground
from omc.backtest.metrics import bounds, figures_and_moments
from omc.backtest.rounds import BLOCKS
from omc.backtest.run import BacktestSpec, RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import MemorySweepStore, Sweep
from omc.backtest.tried import Tried
from omc.clock import ManualClock
from omc.errors import Conflict
from omc.feature.frame import Frame, as_datetime64
from omc.market.terms import Terms
from omc.strategy.registry import make
from tune_jobs.sweep import run

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]

START = datetime(2025, 1, 1, tzinfo=UTC)
USER = UUID(int=2)
TERMS = Terms()


def market(rows: int) -> Frame:
    walk = np.random.default_rng(3).normal(0, 0.004, (rows, 2)).cumsum(axis=0)
    last = np.round(1_000 * np.exp(walk), 2)
    times = np.arange(rows) * np.timedelta64(300, "s") + as_datetime64(START)
    return Frame(times, ("BTC", "ETH"), np.round(last * 0.999, 2), np.round(last * 1.001, 2), last)


def sweep(space: dict, rows: int, *, method: str = "grid", points: int = 0) -> Sweep:
    spec = BacktestSpec(
        algorithm_type="moving_average_crossover",
        parameters=make("moving_average_crossover", {}).get_params(),
        coins=("BTC", "ETH"),
        start=START + timedelta(days=1),
        end=START + timedelta(minutes=5 * rows),
        initial_cash_aud=Decimal(10_000),
        rebalance_band=0.02,
    )
    return Sweep(
        id=uuid4(),
        user_id=USER,
        algorithm_id=uuid4(),
        algorithm_version=1,
        spec=spec,
        space=space,
        method=method,
        points=points,
        seed=7,
        objective="sharpe",
        status=RunStatus.QUEUED,
        done=0,
        best=None,
        error_message=None,
        created_at=START,
        started_at=None,
        completed_at=None,
    )


class CountingStore(MemorySweepStore):
    """Remembers what was added, batch by batch, and may close a sweep after some."""

    def __init__(self, close_after: int | None = None) -> None:
        super().__init__(ManualClock(START))
        self.added: list[list[int]] = []
        self.close_after = close_after

    async def add(self, sweep_id: UUID, tried: Tried) -> Sweep:
        stored = await MemorySweepStore.add(self, sweep_id, tried)
        self.added.append(sorted(tried.indices.tolist()))
        if len(self.added) == self.close_after:
            await self.finish(sweep_id, RunStatus.CANCELLED)
        return stored


def scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="omc-test-"))


GRID = {"fast_bars": [3, 6, 12, 200], "slow_bars": [24, 48, 96]}
ROWS = 3_000


@pytest.fixture(scope="module")
async def whole() -> tuple[Sweep, CountingStore]:
    """A sweep of twelve points in several batches, carried out."""
    asked, store = sweep(GRID, ROWS), CountingStore()
    await store.create(asked)
    return await run(asked, market(ROWS), store, TERMS, scratch=scratch(), largest_batch=5), store


async def test_every_point_is_tried_stored_and_ranked_as_it_would_be_alone(whole):
    ended, store = whole
    assert (ended.status, ended.done) == (RunStatus.COMPLETED, 12)
    assert sorted(len(batch) for batch in store.added) == [2, 5, 5]
    assert sorted(index for batch in store.added for index in batch) == list(range(12))
    ground, space = Ground.of(ended.spec, market(ROWS), TERMS), SearchSpace.of(ended)
    for index, point in store.points[ended.id].items():
        assert point.parameters == space.point(index)
        if space.algorithms().refusal(point.parameters) is None:
            alone = make("moving_average_crossover", point.parameters)
            edges = bounds(len(ground.window), BLOCKS)
            shown, moments = figures_and_moments(ground.simulate(alone), ground.costs, ground.bar_s, edges)
            assert (point.metrics, point.blocks) == (shown, moments.tobytes())
            assert point.error is None
    (best,), _ = await store.ranking(ended.id, USER, "sharpe", True, 0, 1)
    assert ended.best is not None
    assert ended.best["index"] == best


async def test_a_point_that_the_algorithm_refuses_fails_alone_with_its_reason(whole):
    ended, store = whole
    assert ended.error_message.startswith("3 points failed: ")
    assert ended.failed == 3
    for point in await store.results(ended.id, [9, 10, 11]):
        assert "fast_bars 200 must be less than slow_bars" in point.error
        assert set(point.metrics.values()) == {None}


async def test_a_sweep_that_was_interrupted_computes_only_what_is_left(whole):
    ended, store = whole
    asked = replace(ended, id=uuid4(), status=RunStatus.RUNNING, done=0, best=None)
    again = CountingStore()
    await again.create(asked)
    await again.add(asked.id, Tried.of(store.points[ended.id][index] for index in (1, 5)))
    again.added.clear()
    assert (await run(asked, market(ROWS), again, TERMS, scratch=scratch())).status is RunStatus.COMPLETED
    assert sorted(index for batch in again.added for index in batch) == [0, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert again.points[asked.id] == store.points[ended.id]


async def test_a_sweep_closed_in_its_store_stops_early_and_frees_the_cluster():
    space = {"fast_bars": {"low": 2, "high": 40}, "slow_bars": {"low": 50, "high": 2_000}}
    asked = sweep(space, 20_000, method="random", points=20_000)
    store = CountingStore(close_after=2)
    await store.create(asked)
    ended = await run(asked, market(20_000), store, TERMS, scratch=scratch())
    assert ended.status is RunStatus.CANCELLED
    assert 0 < len(store.points[asked.id]) < 20_000
    with pytest.raises(Conflict):
        await run(asked, market(1_000), store, TERMS, scratch=scratch())
    assert await _idle(), "the sweep left something behind that holds CPUs"


async def _idle() -> bool:
    """Whether every CPU of the cluster is free again, within a while."""
    for _ in range(600):
        if ray.available_resources().get("CPU") == ray.cluster_resources()["CPU"]:
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("space", "coins", "reason"),
    [({"fast_bars": [0]}, ("BTC",), "fast_bars must lie"), (GRID, ("BTC", "DOGE"), "no prices of DOGE")],
)
async def test_a_sweep_that_makes_no_sense_fails_before_any_work(space, coins, reason):
    asked, store = sweep(space, 1_000), CountingStore()
    asked = replace(asked, spec=replace(asked.spec, coins=coins))
    await store.create(asked)
    ended = await run(asked, market(1_000), store, TERMS, scratch=scratch())
    assert ended.status is RunStatus.FAILED
    assert ended.error_message is not None
    assert reason in ended.error_message
    assert store.added == []
