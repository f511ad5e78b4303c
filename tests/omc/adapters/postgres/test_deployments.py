"""The deployment store's promises, which PostgreSQL and the twin in memory keep alike."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from omc.errors import Conflict, NotFound
from omc.portfolio.account import Account
from omc.trading.deployment import DeploymentStatus
from tests.omc.adapters.postgres.house import NOON, House, in_postgres


async def test_a_deployment_comes_back_as_it_was_stored(house: House):
    wanted = await house.wanted()
    assert await house.deployments.create(wanted) == wanted
    assert await house.deployments.get(wanted.id) == wanted
    assert await house.deployments.get(wanted.id, wanted.user_id) == wanted
    assert await house.blotter.account(wanted.id) == Account.opened_with(wanted.cash_aud)


async def test_somebody_elses_deployment_is_not_found(house: House):
    deployment = await house.deployed()
    for deployment_id, user_id in ((deployment.id, uuid4()), (uuid4(), None)):
        with pytest.raises(NotFound):
            await house.deployments.get(deployment_id, user_id)


async def test_the_same_key_again_returns_the_first_deployment(house: House):
    first = await house.wanted()
    assert await house.deployments.create(first, "key") == first
    again = replace(first, id=uuid4(), name="other")
    assert await house.deployments.create(again, "key") == first
    assert (await house.deployments.page(first.user_id, 0, 9))[1] == 1
    stranger = await house.wanted()
    assert await house.deployments.create(stranger, "key") == stranger


async def test_the_same_key_from_many_at_once_makes_one_deployment(house: House):
    wanted = await house.wanted()
    attempts = [replace(wanted, id=uuid4()) for _ in range(5)]
    made = await asyncio.gather(*(house.deployments.create(each, "key") for each in attempts))
    assert made == [made[0]] * 5


async def test_a_name_is_taken_by_one_deployment_of_a_user(house: House):
    first = await house.deployed()
    with pytest.raises(Conflict, match="first"):
        await house.deployed(first.user_id)
    await house.deployed(first.user_id, name="second")


async def test_a_refused_deployment_leaves_its_key_unused(house: House):
    first = await house.deployed()
    second = await house.wanted(first.user_id)
    with pytest.raises(Conflict):
        await house.deployments.create(second, "key")
    renamed = replace(second, name="second")
    assert await house.deployments.create(renamed, "key") == renamed


async def test_a_stopped_deployment_never_runs_again(house: House):
    deployment = await house.deployed()
    paused = await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "lunch")
    assert paused.status is DeploymentStatus.PAUSED
    await house.deployments.set_status(deployment.id, DeploymentStatus.STOPPED, "enough")
    for status in (DeploymentStatus.ACTIVE, DeploymentStatus.PAUSED):
        with pytest.raises(Conflict):
            await house.deployments.set_status(deployment.id, status, "again")
    with pytest.raises(NotFound):
        await house.deployments.set_status(uuid4(), DeploymentStatus.ACTIVE, "no such")


async def test_every_change_of_mind_is_journaled_with_its_reason(house: House):
    deployment = await house.deployed()
    await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "lunch")
    await house.deployments.set_parameters(deployment.id, {"fast_bars": 3})
    entries, _ = await house.blotter.journal(deployment.user_id, deployment.id, ["deployment"], 0, 9)
    assert entries[1].data["status"] == "paused"
    assert entries[1].data["reason"] == "lunch"
    assert entries[0].data["parameters"] == {"fast_bars": 3}
    assert (await house.deployments.get(deployment.id)).parameters == {"fast_bars": 3}


async def test_pausing_all_pauses_what_was_active_and_nobody_elses(house: House):
    mine = await house.deployed()
    stopped = await house.deployed(mine.user_id, name="stopped", status=DeploymentStatus.STOPPED)
    theirs = await house.deployed()
    paused = await house.deployments.pause_all(mine.user_id, "emergency stop")
    assert [each.id for each in paused] == [mine.id]
    assert (await house.deployments.get(stopped.id)).status is DeploymentStatus.STOPPED
    active = {each.id for each in await house.deployments.active()}
    assert theirs.id in active
    assert mine.id not in active


async def test_a_traders_error_is_remembered_until_it_is_cleared(house: House):
    deployment = await house.deployed()
    await house.deployments.report_error(deployment.id, "no prices")
    assert (await house.deployments.get(deployment.id)).last_error == "no prices"
    await house.deployments.report_error(deployment.id, None)
    assert (await house.deployments.get(deployment.id)).last_error is None


async def test_pages_come_newest_first_with_the_total(house: House):
    first = await house.deployed()
    second = await house.deployed(first.user_id, name="second", deployed_at=NOON + timedelta(hours=1))
    assert await house.deployments.page(first.user_id, 0, 1) == ([second], 2)
    assert await house.deployments.page(first.user_id, 1, 5) == ([first], 2)


@pytest.mark.postgres
async def test_only_an_own_algorithm_in_a_known_version_is_deployed(database):
    house = in_postgres(database)
    wanted = await house.wanted()
    other = await house.wanted()
    for wrong in (replace(wanted, algorithm_id=uuid4()), replace(wanted, algorithm_id=other.algorithm_id)):
        with pytest.raises(NotFound, match="algorithm"):
            await house.deployments.create(wrong)
    with pytest.raises(NotFound, match="version 2"):
        await house.deployments.create(replace(wanted, algorithm_version=2))
    assert (await house.deployments.page(wanted.user_id, 0, 9))[1] == 0
