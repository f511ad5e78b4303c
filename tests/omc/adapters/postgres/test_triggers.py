"""Triggers, and what was decided last, as PostgreSQL and the twin in memory keep them alike."""

from dataclasses import replace
from datetime import time

import pytest

from omc.errors import InvalidInput
from omc.strategy.trigger import Crossing, Daily, Direction, Every
from omc.trading.blotter import Decision, TraderMemory
from tests.omc.adapters.postgres.house import NOON, SPEC, House

TRIGGERS = (Crossing("BTC", 100_000.5, Direction.UP), Every(900), Daily(time(9, 30), "Australia/Sydney"))


async def test_a_deployment_and_a_backtest_keep_when_their_algorithm_is_asked(house: House):
    deployment = await house.deployed(triggers=TRIGGERS)
    assert (await house.deployments.get(deployment.id)).triggers == TRIGGERS
    assert (await house.deployments.get((await house.deployed()).id)).triggers == ()
    run = await house.queued(spec=replace(SPEC, triggers=TRIGGERS))
    assert (await house.backtests.get(run.id, run.user_id)).spec.triggers == TRIGGERS


async def test_a_trader_knows_again_what_was_decided_last_to_the_bit(house: House):
    deployment = await house.deployed(triggers=TRIGGERS)
    memory = TraderMemory(NOON, NOON, (0.0, 0.1), stopped=(True, False), wanted=(1 / 3, 0.1))
    why = {"BTC": "the algorithm wanted 0.3333"}
    await house.blotter.remember(deployment.id, memory, Decision(NOON, {"BTC": 0.0}, why, trigger="every 900 s"))
    assert await house.blotter.recall(deployment.id) == memory
    entries, _ = await house.blotter.journal(deployment.user_id, deployment.id, ["decision"], 0, 1)
    assert entries[0].data["trigger"] == "every 900 s"


def test_a_schedule_that_is_none_is_never_stored():
    with pytest.raises(InvalidInput):
        Every(7)
