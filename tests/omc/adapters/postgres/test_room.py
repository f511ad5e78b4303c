"""Quotas of how many hold exactly, in PostgreSQL as in memory, however many ask at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from omc.backtest.run import RunStatus
from omc.errors import Conflict, RateLimited
from omc.trading.deployment import DeploymentStatus
from tests.omc.adapters.postgres.house import House, a_sweep, algorithm

MOST = 3


async def refusals(work: Sequence[Awaitable[Any]]) -> list[str]:
    """What is said to those that do not get a place."""
    answers = await asyncio.gather(*work, return_exceptions=True)
    assert all(not isinstance(each, BaseException) or isinstance(each, RateLimited) for each in answers), answers
    return [str(each) for each in answers if isinstance(each, RateLimited)]


Writer = Callable[[UUID], Awaitable[Awaitable[Any]]]


@pytest.fixture(params=["algorithms", "backtests", "sweeps"])
def writer(house: House, request: pytest.FixtureRequest) -> Writer:
    """`await writer(user)` is something that is about to be written for them, of which they may have MOST."""

    async def write(user_id: UUID) -> Awaitable[Any]:
        match request.param:
            case "algorithms":
                return house.algorithms.create(algorithm(user_id), MOST)
            case "backtests":
                return house.backtests.create(await house.wanted_run(user_id), MOST)
            case _:
                return house.sweeps.create(a_sweep(await house.algorithms.create(algorithm(user_id))), MOST)

    return write


async def test_of_many_at_once_as_many_pass_as_there_are_places(house: House, writer: Writer):
    one, other = await house.user(), await house.user()
    said = await refusals([await writer(user) for user in (one,) * 8 + (other,) * MOST])
    assert len(said) == 8 - MOST
    assert all(f"{MOST}" in each and ": " in each for each in said)
    assert len(await refusals([await writer(user) for user in (one, other)])) == 2


async def test_a_refused_one_leaves_nothing_and_a_place_that_is_free_is_taken(house: House):
    user = await house.user()
    kept = [await house.algorithms.create(algorithm(user), 2) for _ in range(2)]
    with pytest.raises(RateLimited, match="you have 2 algorithms of the 2 that you may have: delete one"):
        await house.algorithms.create(algorithm(user), 2)
    assert (await house.algorithms.page(user, 0, 9))[1] == 2
    with pytest.raises(Conflict):
        await house.algorithms.create(kept[0], 2)
    await house.algorithms.delete(kept[0].id, user)
    await house.algorithms.create(algorithm(user), 2)


async def test_an_algorithm_that_is_only_hidden_takes_no_place(house: House):
    deployment = await house.deployed()
    await house.deployments.set_status(deployment.id, DeploymentStatus.STOPPED, "no longer wanted")
    await house.algorithms.delete(deployment.algorithm_id, deployment.user_id)
    await house.algorithms.create(algorithm(deployment.user_id), 1)


async def test_backtests_count_until_they_are_over(house: House):
    user = await house.user()
    runs = [await house.backtests.create(await house.wanted_run(user), 2) for _ in range(2)]
    late = await house.wanted_run(user)
    assert await house.backtests.under_way(user) == 2
    with pytest.raises(RateLimited, match="2 of your backtests are queued or running"):
        await house.backtests.create(late, 2)
    assert await house.backtests.page(user, late.algorithm_id, 0, 9) == ([], 0)
    with pytest.raises(Conflict):
        await house.backtests.create(runs[0], 2)
    await house.backtests.finish(runs[0].id, RunStatus.FAILED)
    await house.backtests.create(late, 2)
    await house.backtests.delete(runs[1].id, user)
    assert await house.backtests.under_way(user) == 1


async def test_sweeps_count_until_they_are_over_and_again_when_they_go_on(house: House):
    user = await house.user()
    record = await house.algorithms.create(algorithm(user))
    failed, running, last = (a_sweep(record) for _ in range(3))
    await house.sweeps.create(failed, 2)
    await house.sweeps.create(running, 2)
    await house.sweeps.start(running.id)
    with pytest.raises(RateLimited, match="2 of your sweeps are queued or running"):
        await house.sweeps.create(last, 2)
    await house.sweeps.finish(failed.id, RunStatus.FAILED, "it fell over")
    await house.sweeps.create(last, 2)
    with pytest.raises(RateLimited, match="cancel one"):
        await house.sweeps.reopen(failed.id, most=2)
    assert (await house.sweeps.get(failed.id)).error_message == "it fell over"
    assert await house.sweeps.under_way(user) == 2


async def test_a_sweep_that_has_its_place_is_not_asked_for_another(house: House):
    user = await house.user()
    sweep = a_sweep(await house.algorithms.create(algorithm(user)))
    await house.sweeps.create(sweep, 1)
    assert (await house.sweeps.reopen(sweep.id, most=1)).status is RunStatus.QUEUED
    await house.sweeps.start(sweep.id)
    assert (await house.sweeps.reopen(sweep.id, most=1)).status is RunStatus.RUNNING
    assert (await house.sweeps.reopen(sweep.id, interrupted=True, most=1)).status is RunStatus.QUEUED


async def test_of_several_that_go_on_at_once_as_many_do_as_there_are_places(house: House):
    user = await house.user()
    record = await house.algorithms.create(algorithm(user))
    over = [await house.sweeps.create(a_sweep(record)) for _ in range(4)]
    for sweep in over:
        await house.sweeps.finish(sweep.id, RunStatus.FAILED)
    assert len(await refusals([house.sweeps.reopen(sweep.id, most=1) for sweep in over])) == 3
    assert await house.sweeps.under_way(user) == 1
