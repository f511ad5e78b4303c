"""Whatever was tried stays counted, in PostgreSQL as in memory."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import text

from omc.adapters.postgres.database import Database
from omc.backtest.run import RunStatus
from omc.backtest.sweep import Sweep
from omc.backtest.tried import SweepPoint, Tried
from omc.promotion.trials import Tally
from tests.omc.adapters.postgres.house import House, a_sweep, algorithm, in_postgres


async def test_nothing_tried_is_no_tries(house: House):
    assert await house.tries.tally(uuid4()) == Tally()


RESULTS = {"metrics": {"sharpe": 1.5, "bars": 366.0}, "bar_s": 86_400.0}
ONE = Tally.of([1.5], 365, 365)


async def test_a_backtest_that_ended_is_one_try_and_stays_one_when_it_is_deleted(house: House):
    run = await house.queued()
    assert await house.tries.tally(run.algorithm_id) == Tally()
    for _ in range(2):
        await house.backtests.finish(run.id, RunStatus.COMPLETED, results=RESULTS)
    assert await house.tries.tally(run.algorithm_id) == ONE
    await house.backtests.delete(run.id, run.user_id)
    assert await house.tries.tally(run.algorithm_id) == ONE


@pytest.mark.parametrize(
    ("status", "tries"), [(RunStatus.FAILED, 1), (RunStatus.CANCELLED, 0)], ids=["failed", "cancelled"]
)
async def test_a_backtest_without_a_ratio(house: House, status: RunStatus, tries: int):
    run = await house.queued()
    await house.backtests.finish(run.id, status)
    assert await house.tries.tally(run.algorithm_id) == Tally(tries)


@pytest.mark.parametrize(
    "results",
    [
        {"metrics": {"sharpe": 1.5, "bars": 366.0}},
        {"metrics": {"sharpe": None, "bars": 366.0}, "bar_s": 86_400.0},
        {"metrics": {"sharpe": 1e9, "bars": 3.0}, "bar_s": 86_400.0},
    ],
    ids=["no length of bars", "no ratio", "three bars"],
)
async def test_a_backtest_whose_ratio_says_nothing_is_a_try_all_the_same(house: House, results: dict[str, Any]):
    run = await house.queued()
    await house.backtests.finish(run.id, RunStatus.COMPLETED, results=results)
    assert await house.tries.tally(run.algorithm_id) == Tally(1)


async def test_a_backtest_that_was_deleted_first_was_not_tried(house: House):
    run = await house.queued()
    await house.backtests.delete(run.id, run.user_id)
    await house.backtests.finish(run.id, RunStatus.COMPLETED, results=RESULTS)
    assert await house.tries.tally(run.algorithm_id) == Tally()


def point(index: int, sharpe: float | None, folds: int = 0, error: str | None = None) -> SweepPoint:
    """Of folds of a year of days each (one where there are none), whose returns are half up and half down by 1 %."""
    deviation = 0.01 * (365 / 364) ** 0.5
    metrics = {"sharpe": sharpe, "volatility": None if sharpe is None else deviation * 365**0.5}
    blocks = np.tile([[182.5, 0.0, 0.01825], [182.5, 0.0, 0.01825]], (max(1, folds), 1))
    scores = (sharpe,) * folds
    return SweepPoint(index, {"fast_bars": index}, metrics, error, blocks.astype("<f8").tobytes(), scores)


def daily(*tries: float | tuple[float | None, int] | None) -> Tally:
    """What such points count for, each with its ratio, or also with its years."""
    pairs = [each if isinstance(each, tuple) else (each, 1) for each in tries]
    return Tally.of([np.nan if ratio is None else ratio for ratio, _ in pairs], [365 * y for _, y in pairs], 365)


async def sweep_of(house: House, **changes: Any) -> Sweep:
    run = await house.queued()
    return await house.sweeps.create(a_sweep(algorithm(run.user_id, run.algorithm_id), points=9, **changes))


def is_about(found: Tally, wanted: Tally) -> bool:
    return (found.tries, found.measured) == (wanted.tries, wanted.measured) and (
        found.mean_sharpe == pytest.approx(wanted.mean_sharpe)
        and found.powers == pytest.approx(wanted.powers)
        and found.variance_sharpe == pytest.approx(wanted.variance_sharpe, nan_ok=True)
    )


async def test_every_point_of_a_sweep_is_a_try_failed_ones_too(house: House):
    sweep = await sweep_of(house)
    await house.sweeps.add(sweep.id, Tried.of([point(0, 1.0), point(1, None, error="it fell over")]))
    await house.sweeps.add(sweep.id, Tried.of([point(2, -3.0), point(3, 0.25), point(4, None)]))
    assert is_about(await house.tries.tally(sweep.algorithm_id), daily(1.0, None, -3.0, 0.25, None))


async def test_a_point_that_is_stored_again_counts_once_with_its_last_ratio_and_all_of_its_folds(house: House):
    sweep = await sweep_of(house, folds=3)
    await house.sweeps.add(sweep.id, Tried.of([point(at, float(at), folds=1) for at in range(4)]))
    await house.sweeps.add(sweep.id, Tried.of([point(2, 7.0, folds=2), point(3, None, folds=2)]))
    await house.sweeps.prune(sweep.id, [0, 1], 1)
    assert is_about(await house.tries.tally(sweep.algorithm_id), daily(0.0, 1.0, (7.0, 2), None))
    await house.sweeps.add(sweep.id, Tried.of([point(2, 9.0, folds=3)]))
    assert is_about(await house.tries.tally(sweep.algorithm_id), daily(0.0, 1.0, (9.0, 3), None))


async def test_a_sweep_that_goes_on_counts_what_it_tries_again_once(house: House):
    sweep = await sweep_of(house)
    points = [point(at, float(at)) for at in range(5)]
    for part in (points[:3], points[1:], points):
        await house.sweeps.add(sweep.id, Tried.of(part))
    assert is_about(await house.tries.tally(sweep.algorithm_id), daily(0.0, 1.0, 2.0, 3.0, 4.0))


async def test_backtests_and_sweeps_of_an_algorithm_count_together(house: House):
    sweep = await sweep_of(house)
    runs, _ = await house.backtests.page(sweep.user_id, sweep.algorithm_id, 0, 9)
    await house.backtests.finish(runs[0].id, RunStatus.COMPLETED, results=RESULTS)
    await house.sweeps.add(sweep.id, Tried.of([point(0, 1.0), point(1, 2.0)]))
    other = await sweep_of(house)
    await house.sweeps.add(other.id, Tried.of([point(0, 50.0)]))
    assert is_about(await house.tries.tally(sweep.algorithm_id), daily(1.5, 1.0, 2.0))


@pytest.mark.postgres
async def test_a_sweep_that_is_gone_stays_counted(database: Database):
    house = in_postgres(database)
    sweep = await sweep_of(house)
    await house.sweeps.add(sweep.id, Tried.of([point(0, 1.0), point(1, 2.0)]))
    async with database.transaction() as connection:
        await connection.execute(text("DELETE FROM sweeps WHERE id = :id"), {"id": sweep.id})
    assert (await house.tries.tally(sweep.algorithm_id)).tries == 2
