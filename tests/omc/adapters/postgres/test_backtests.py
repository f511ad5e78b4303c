"""Backtests: results come back exactly, and one worker gets one run."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from omc.adapters.postgres.database import Database
from omc.backtest.run import LOST, MOST_ATTEMPTS, RunStatus
from omc.errors import Conflict, InvalidInput, NotFound
from tests.omc.adapters.postgres.house import NOON, SPEC, House, in_postgres


async def test_a_run_comes_back_as_it_was_stored(house: House):
    store, run = house.backtests, await house.queued()
    assert await store.get(run.id, run.user_id) == run
    assert run.spec == SPEC
    assert await store.page(run.user_id, run.algorithm_id, 0, 9) == ([run], 1)
    for attempt in (store.get, store.delete):
        with pytest.raises(NotFound):
            await attempt(run.id, uuid4())
    await store.delete(run.id, run.user_id)
    assert await store.page(run.user_id, run.algorithm_id, 0, 9) == ([], 0)


async def test_results_come_back_to_the_last_bit(house: House):
    store, run = house.backtests, await house.queued()
    results = {"metrics": {"sharpe": 0.1 + 0.2, "calmar": None}, "equity": {"aud": [1000.0, 1 / 3, 5e-324, 1.7e308]}}
    await store.finish(run.id, RunStatus.COMPLETED, results=results, execution_time_s=1.25)
    done = await store.get(run.id, run.user_id)
    assert done.results == results
    assert (done.status, done.progress, done.execution_time_s) == (RunStatus.COMPLETED, 1.0, 1.25)
    assert done.completed_at is not None


async def test_what_is_over_stays_as_it_is(house: House):
    store, run = house.backtests, await house.queued()
    await store.finish(run.id, RunStatus.CANCELLED)
    await store.finish(run.id, RunStatus.COMPLETED, results={})
    assert (await store.get(run.id, run.user_id)).status is RunStatus.CANCELLED
    await store.finish(uuid4(), RunStatus.COMPLETED, results={})


async def test_the_oldest_run_goes_to_one_worker_and_back_when_it_died(fresh_house: House):
    store = fresh_house.backtests
    runs = [await fresh_house.queued(created_at=NOON + timedelta(minutes=n)) for n in range(3)]
    claimed = await asyncio.gather(*(store.claim(60.0) for _ in range(4)))
    assert sorted(run.id for run in claimed if run) == sorted(run.id for run in runs)
    assert claimed.count(None) == 1
    assert await store.claim(60.0) is None
    fresh_house.pass_time()
    again = await store.claim(0.0)
    assert again is not None
    assert (again.id, again.status) == (runs[0].id, RunStatus.RUNNING)


async def order_of(house: House, count: int) -> list[UUID]:
    """Whose runs are taken, one after the other, each over before the next."""
    taken = []
    for _ in range(count):
        run = await house.backtests.claim(60.0)
        assert run is not None
        taken.append(run.user_id)
        house.pass_time()
        await house.backtests.finish(run.id, RunStatus.FAILED)
    return taken


async def test_users_take_turns_however_many_runs_one_of_them_asked_for_first(fresh_house: House):
    many, late, later = [await fresh_house.user() for _ in range(3)]
    for user, count in ((many, 4), (late, 2), (later, 1)):
        for _ in range(count):
            await fresh_house.backtests.create(await fresh_house.wanted_run(user))
            fresh_house.pass_time()
    turns = await order_of(fresh_house, 7)
    assert sorted(turns[:3]) == sorted((many, late, later))
    assert sorted(turns[3:5]) == sorted((many, late))
    assert turns[5:] == [many, many]


async def test_whoever_has_fewest_runs_under_way_comes_first(fresh_house: House):
    busy, idle = await fresh_house.user(), await fresh_house.user()
    for minutes, user in enumerate((busy, busy, idle)):
        run = await fresh_house.wanted_run(user, created_at=NOON + timedelta(minutes=minutes))
        await fresh_house.backtests.create(run)
    taken = [await fresh_house.backtests.claim(60.0) for _ in range(3)]
    assert [run.user_id for run in taken if run] == [busy, idle, busy]


async def test_nobody_who_is_spared_is_taken(fresh_house: House):
    one, other = await fresh_house.queued(), await fresh_house.queued()
    assert await fresh_house.backtests.claim(60.0, {one.user_id, other.user_id}) is None
    taken = await fresh_house.backtests.claim(60.0, [one.user_id])
    assert taken is not None
    assert taken.id == other.id


async def test_a_run_that_takes_its_worker_with_it_each_time_has_failed(fresh_house: House):
    store, run, other = fresh_house.backtests, await fresh_house.queued(), await fresh_house.queued()
    await store.delete(other.id, other.user_id)
    for _ in range(MOST_ATTEMPTS):
        assert await store.claim(0.0) is not None
        fresh_house.pass_time()
    assert await store.claim(0.0) is None
    ended = await store.get(run.id, run.user_id)
    assert (ended.status, ended.error_message) == (RunStatus.FAILED, LOST)
    assert (await fresh_house.tries.tally(run.algorithm_id)).tries == 1


async def test_a_run_is_created_once(house: House):
    run = await house.queued()
    with pytest.raises(Conflict):
        await house.backtests.create(run)


@pytest.mark.postgres
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
async def test_a_number_that_is_not_finite_is_refused(database: Database, number: float):
    house = in_postgres(database)
    run = await house.queued()
    with pytest.raises(InvalidInput, match="not finite"):
        await house.backtests.finish(run.id, RunStatus.COMPLETED, results={"metrics": {"sharpe": number}})
    assert (await house.backtests.get(run.id, run.user_id)).status is RunStatus.QUEUED


@pytest.mark.postgres
async def test_a_run_needs_an_algorithm(database: Database):
    house = in_postgres(database)
    run = await house.queued()
    with pytest.raises(NotFound):
        await house.backtests.create(replace(run, id=uuid4(), algorithm_id=uuid4()))
