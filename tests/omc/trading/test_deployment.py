from dataclasses import replace

import pytest

from omc.trading.deployment import DeploymentStatus, differences, trader_name
from tests.actors.mortal import deployment

ONE, OTHER = deployment(1), deployment(2)


def test_a_traders_name_can_be_read_and_is_its_own() -> None:
    assert trader_name(ONE) == "trader:test 1:00000001"
    assert trader_name(replace(ONE, id=OTHER.id)) != trader_name(ONE)


@pytest.mark.parametrize("status", [DeploymentStatus.PAUSED, DeploymentStatus.STOPPED])
def test_what_is_not_active_must_not_run(status: DeploymentStatus) -> None:
    start, stop = differences([replace(ONE, status=status), OTHER], [trader_name(ONE)])
    assert (start, stop) == ([OTHER], [trader_name(ONE)])


def test_what_runs_and_is_wanted_is_left_alone() -> None:
    assert differences([ONE], [trader_name(ONE)]) == ([], [])
    assert differences([], ["trader:unknown:00000000"]) == ([], ["trader:unknown:00000000"])
