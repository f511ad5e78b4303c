"""Whatever was tried stays counted, in PostgreSQL as in memory."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from omc.adapters.postgres.database import Database
from omc.adapters.postgres.tries import count_sweep
from omc.backtest.run import RunStatus
from omc.promotion.trials import Tally
from tests.omc.adapters.postgres.house import House, in_postgres


async def test_nothing_tried_is_no_tries(house: House):
    assert await house.tries.tally(uuid4()) == Tally()


async def test_a_backtest_that_ended_is_one_try_and_stays_one_when_it_is_deleted(house: House):
    run = await house.queued()
    assert await house.tries.tally(run.algorithm_id) == Tally()
    for _ in range(2):
        await house.backtests.finish(run.id, RunStatus.COMPLETED, results={"metrics": {"sharpe": 1.5}})
    assert await house.tries.tally(run.algorithm_id) == Tally(1, 1, 1.5, 0.0)
    await house.backtests.delete(run.id, run.user_id)
    assert await house.tries.tally(run.algorithm_id) == Tally(1, 1, 1.5, 0.0)


@pytest.mark.parametrize(
    ("status", "tries"), [(RunStatus.FAILED, 1), (RunStatus.CANCELLED, 0)], ids=["failed", "cancelled"]
)
async def test_a_backtest_without_a_ratio(house: House, status: RunStatus, tries: int):
    run = await house.queued()
    await house.backtests.finish(run.id, status)
    assert await house.tries.tally(run.algorithm_id) == Tally(tries)


async def test_a_backtest_that_was_deleted_first_was_not_tried(house: House):
    run = await house.queued()
    await house.backtests.delete(run.id, run.user_id)
    await house.backtests.finish(run.id, RunStatus.COMPLETED, results={"metrics": {"sharpe": 1.5}})
    assert await house.tries.tally(run.algorithm_id) == Tally()


@pytest.mark.postgres
async def test_the_database_adds_as_the_tally_does(database: Database):
    house = in_postgres(database)
    run = await house.queued()
    parts: list[list[float | None]] = [[None], [1.0, 2.5], [-3.0, None, 0.25], [], [7.0]]
    sweep_id = uuid4()
    async with database.transaction() as connection:
        await connection.execute(
            text("""
                INSERT INTO sweeps (id, algorithm_id, algorithm_type, user_id, start_date, end_date, start_time,
                    end_time, coins, initial_cash, rebalance_band, status, space, method, points, seed, objective)
                SELECT :id, algorithm_id, algorithm_type, user_id, start_date, end_date, start_time, end_time, coins,
                    initial_cash, rebalance_band, 'running', '{}', 'grid', 9, 0, 'sharpe'
                FROM algorithm_backtest_runs WHERE id = :run_id
            """),
            {"id": sweep_id, "run_id": run.id},
        )
        for part in parts:
            await count_sweep(connection, sweep_id, part)
        await count_sweep(connection, sweep_id, [5.0, 9.0], replaced=[7.0, None])
    stored = await house.tries.tally(run.algorithm_id)
    exact = Tally.of(sharpe for part in parts for sharpe in part) - Tally.of([7.0, None]) + Tally.of([5.0, 9.0])
    assert (stored.tries, stored.measured) == (exact.tries, exact.measured)
    assert stored.mean_sharpe == pytest.approx(exact.mean_sharpe)
    assert stored.variance_sharpe == pytest.approx(exact.variance_sharpe)
