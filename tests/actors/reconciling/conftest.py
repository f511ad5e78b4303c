"""A floor with an account that its owner trades, too."""

from collections.abc import AsyncIterator

import pytest

from tests.actors.reconciling.accounts import Floor


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    house = Floor()
    await house.begin()
    yield house
    for desk in house.desks:
        for task in (desk._task, *desk._settling):
            task.cancel()
    await house.close()
