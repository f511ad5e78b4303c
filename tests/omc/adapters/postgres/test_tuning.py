"""Other parameters for a deployment that trades, as PostgreSQL and the twin in memory keep them alike."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from omc.errors import Conflict, NotFound, Overtaken
from omc.trading.blotter import TraderMemory
from omc.trading.deployment import DeploymentStatus
from omc.trading.tuning import Tuning
from tests.omc.adapters.postgres.house import NOON, House

FIVE_MINUTES = timedelta(minutes=5)


async def told(house: House, deployment) -> list[Tuning]:
    lines, _ = await house.blotter.journal(deployment.user_id, deployment.id, ["deployment"], 0, 10)
    return [each for each in (Tuning.told_in(line.data) for line in reversed(lines)) if each is not None]


async def test_a_change_is_journaled_with_what_was_before_and_the_last_bar_of_that(house: House):
    deployment = await house.deployed()
    before = deployment.parameters
    first = await house.blotter.set_parameters(deployment.id, {"fast_bars": 3, "share": 0.5}, before=before)
    assert first == replace(deployment, parameters={"fast_bars": 3, "share": 0.5})
    assert (await house.deployments.get(deployment.id)).parameters == {"fast_bars": 3, "share": 0.5}
    await house.blotter.remember(deployment.id, replace(await house.blotter.recall(deployment.id), done_until=NOON))
    await house.blotter.set_parameters(deployment.id, {"fast_bars": 4}, before=first.parameters)
    assert await told(house, deployment) == [
        Tuning(before, {"fast_bars": 3, "share": 0.5}, None),
        Tuning({"fast_bars": 3, "share": 0.5}, {"fast_bars": 4}, NOON),
    ]


async def test_nobody_finishes_another_bar_by_what_was_before(house: House):
    deployment = await house.deployed()
    await house.blotter.remember(deployment.id, TraderMemory(NOON))
    known = await house.blotter.recall(deployment.id)
    await house.blotter.set_parameters(deployment.id, {"fast_bars": 3}, before=deployment.parameters)
    with pytest.raises(Overtaken):
        await house.blotter.remember(deployment.id, replace(known, done_until=NOON + FIVE_MINUTES))
    anew = await house.blotter.recall(deployment.id)
    assert anew == replace(known, heard=known.heard + 1, stopped=anew.stopped)
    await house.blotter.remember(deployment.id, replace(anew, done_until=NOON + FIVE_MINUTES))


async def test_what_was_changed_meanwhile_is_not_changed_back(house: House):
    deployment = await house.deployed()
    await house.blotter.set_parameters(deployment.id, {"fast_bars": 3}, before=deployment.parameters)
    with pytest.raises(Overtaken, match="since they were read"):
        await house.blotter.set_parameters(deployment.id, {"fast_bars": 4}, before=deployment.parameters)
    assert (await house.deployments.get(deployment.id)).parameters == {"fast_bars": 3}
    assert len(await told(house, deployment)) == 1
    assert (await house.blotter.recall(deployment.id)).heard == 1


async def test_a_deployment_that_was_stopped_or_never_was_takes_none(house: House):
    deployment = await house.deployed()
    await house.deployments.set_status(deployment.id, DeploymentStatus.STOPPED, "enough")
    with pytest.raises(Conflict, match="was stopped for good"):
        await house.blotter.set_parameters(deployment.id, {"fast_bars": 3}, before=deployment.parameters)
    assert await told(house, deployment) == []
    with pytest.raises(NotFound):
        await house.blotter.set_parameters(uuid4(), {"fast_bars": 3}, before={})


async def test_an_operation_that_was_done_does_not_bring_older_parameters_back(house: House):
    deployment, once = await house.deployed(), uuid4()
    first = await house.blotter.set_parameters(deployment.id, {"fast_bars": 3}, before=deployment.parameters, once=once)
    newer = await house.blotter.set_parameters(deployment.id, {"fast_bars": 4}, before=first.parameters)
    late = await house.blotter.set_parameters(deployment.id, {"fast_bars": 3}, before=newer.parameters, once=once)
    assert late.parameters == {"fast_bars": 4}
