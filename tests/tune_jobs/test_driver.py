"""A driver cuts rounds into batches as long as somebody likes to wait, and shorter ones in the end."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from omc.backtest.metrics import METRICS
from omc.backtest.rounds import Board, Outcome, blocks_per_fold
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import MemorySweepStore, Sweep
from omc.clock import ManualClock
from tests.tune_jobs.test_sweep import START, sweep
from tune_jobs.batch import Batch
from tune_jobs.driver import Driver
from tune_jobs.learning import OptunaProposer

SPACE = {"fast_bars": {"low": 2, "high": 40}, "slow_bars": {"low": 50, "high": 2_000}}
POINTS, CELLS = 20_000, 90_000


async def driving(asked: Sweep) -> Driver:
    store = MemorySweepStore(ManualClock(START))
    await store.create(asked)
    await store.start(asked.id)
    space = SearchSpace.of(asked)
    proposer = OptunaProposer(space) if asked.method == "optuna" else None
    loop, cells = asyncio.get_running_loop(), [CELLS] * max(1, asked.folds)
    return Driver(asked, space, Board.of(asked, space), proposer, store, loop, slots=2, cells=cells)


@pytest.fixture
async def driver() -> Driver:
    return await driving(sweep(SPACE, 1_000, method="random", points=POINTS))


async def tried(driver: Driver, batch: Batch, took_s: float, cpu_s: float = 0.0) -> None:
    count, folds = len(batch.indices), batch.stop - batch.first
    blocks = np.zeros((count, folds * blocks_per_fold(driver.sweep.folds), 3))
    outcome = Outcome(batch.indices, batch.first, np.zeros((count, folds, len(METRICS))), blocks, {})
    await asyncio.to_thread(driver.keep, outcome, took_s, cpu_s)
    driver.ended()


async def cut(driver: Driver, points_per_s: float) -> list[Batch]:
    """All batches of a sweep whose workers try so many points a second."""
    batches = []
    while (batch := await asyncio.to_thread(driver.next_batch)) is not None:
        batches.append(batch)
        await tried(driver, batch, len(batch.indices) / points_per_s)
    assert driver.over
    return batches


@pytest.mark.parametrize("points_per_s", [100.0, 1_000.0])
async def test_batches_take_about_a_second_and_less_in_the_end(driver: Driver, points_per_s: float):
    sizes = [len(each.indices) for each in await cut(driver, points_per_s)]
    assert sum(sizes) == POINTS
    middle = sizes[len(sizes) // 3]
    assert 0.4 * points_per_s <= middle <= points_per_s
    assert sizes[-1] <= points_per_s / 9
    assert sorted(sizes[len(sizes) // 3 :], reverse=True) == sizes[len(sizes) // 3 :]


async def test_every_point_is_handed_out_once_in_the_order_of_windows(driver: Driver):
    batches = await cut(driver, 2_000.0)
    assert sorted(np.concatenate([each.indices for each in batches]).tolist()) == list(range(POINTS))
    slow = [row["slow_bars"] for each in batches for row in each.rows()]
    assert slow == sorted(slow, reverse=True)


async def test_a_sweep_that_prunes_goes_on_fold_after_fold():
    driver = await driving(replace(sweep(SPACE, 1_000, method="random", points=45), folds=3, prune=True))
    batches = await cut(driver, 2_000.0)
    seen = [sorted(i for each in batches if each.first == fold for i in each.indices.tolist()) for fold in range(3)]
    assert seen == [list(range(45)), list(range(15)), list(range(5))]


async def test_a_search_that_learns_goes_on_generation_after_generation():
    driver = await driving(sweep(SPACE, 1_000, method="optuna", points=80))
    batches = await cut(driver, 2_000.0)
    assert sorted(i for each in batches for i in each.indices.tolist()) == list(range(80))


async def test_points_that_take_no_time_say_little_of_the_next(driver: Driver):
    first = await asyncio.to_thread(driver.next_batch)
    assert first is not None
    await tried(driver, first, 0.0)
    second = await asyncio.to_thread(driver.next_batch)
    assert second is not None
    assert len(second.indices) <= 2 * len(first.indices)


async def test_nobody_gets_larger_batches_than_were_allowed(driver: Driver):
    driver.largest_batch = 500
    assert max(len(each.indices) for each in await cut(driver, 4_000.0)) == 500


async def test_whoever_pays_is_told_of_every_batch_and_may_end_the_sweep(driver: Driver):
    told: list[float] = []

    async def charge(cpu_s: float) -> str | None:
        told.append(cpu_s)
        return "nothing is left of today's CPU seconds" if sum(told) > 2.0 else None

    driver.charge = charge
    driver.largest_batch = 10
    batches = 0
    while (batch := await asyncio.to_thread(driver.next_batch)) is not None:
        batches += 1
        await tried(driver, batch, 0.1, 0.75)
        await asyncio.sleep(0.01)
    await asyncio.to_thread(driver.stored)
    assert driver.over
    assert driver.stopped == "nothing is left of today's CPU seconds"
    assert told == [0.75] * 3
    assert batches == 3


async def test_points_that_came_back_untried_are_handed_out_again(driver: Driver):
    driver.largest_batch = 4_000
    first = await asyncio.to_thread(driver.next_batch)
    assert first is not None
    left = first.only(first.indices[5:].tolist())
    await tried(driver, first.part(0, 5), 0.1)
    driver.take_back(left)
    seen = [first.indices[:5], *(each.indices for each in await cut(driver, 4_000.0))]
    assert np.concatenate(seen).size == POINTS
    assert sorted(np.concatenate(seen).tolist()) == list(range(POINTS))


async def test_points_that_came_back_go_out_again_before_others(driver: Driver):
    driver.largest_batch = 10
    first, second = [await asyncio.to_thread(driver.next_batch) for _ in range(2)]
    assert first is not None
    assert second is not None
    for batch in (first, second):
        await tried(driver, batch.part(0, 5), 0.1)
        driver.take_back(batch.part(5, 10))
    again = [await asyncio.to_thread(driver.next_batch) for _ in range(2)]
    assert [each.indices.tolist() for each in again if each] == [
        first.indices[5:].tolist(),
        second.indices[5:].tolist(),
    ]


async def test_it_knows_of_batches_that_nobody_told_of(driver: Driver):
    assert not driver.broke_off
    first, second = [await asyncio.to_thread(driver.next_batch) for _ in range(2)]
    assert first is not None
    assert second is not None
    await tried(driver, first, 0.1)
    driver.ended()
    assert driver.broke_off
    await tried(driver, second, 0.1)
    assert not driver.broke_off
