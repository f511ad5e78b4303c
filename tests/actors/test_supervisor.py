"""Traders are brought up a few at a time."""

import asyncio
from datetime import UTC, datetime

import pytest

from actors import supervisor
from actors.supervisor import Supervisor
from omc.clock import ManualClock
from omc.errors import Unavailable
from omc.trading.deployment import MemoryDeploymentStore
from omc.trading.floor import TraderState
from tests.actors.mortal import deployment

MANY = 3 * supervisor._AT_ONCE


class SlowCrew:
    """A Crew whose traders say nothing before they are let in."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.in_: set[str] = set()
        self.moved = asyncio.Event()

    async def running(self) -> list[str]:
        return self.started

    async def start(self, deployment):
        self.started = [*self.started, f"trader:{deployment.name}:{deployment.id.hex[:8]}"]
        self.moved.set()

    async def stop(self, name):
        self.started = [each for each in self.started if each != name]

    async def state(self, name):
        if name not in self.in_:
            raise Unavailable("it does not answer")
        return TraderState(name, deployment().id, "running", 0, None)


class Quotes:
    async def leave(self, name):
        """Nobody waits for this one."""


@pytest.fixture
async def brought_up():
    """The crew, the supervisor, and the time that it goes by."""
    those = [deployment(number) for number in range(1, MANY + 1)]
    deployments = MemoryDeploymentStore(
        ManualClock(datetime(2025, 1, 1, tzinfo=UTC)), kept={each.id: each for each in those}
    )
    crew, now = SlowCrew(), [0.0]
    watching = Supervisor(deployments, crew, Quotes(), every_s=0.001, seconds=lambda: now[0])
    yield crew, watching, now
    await watching.stop()


async def stays(crew, count):
    """That many are started, and no more for as long as nothing happens."""
    async with asyncio.timeout(30):
        while len(crew.started) < count:
            crew.moved.clear()
            await crew.moved.wait()
    for _ in range(20):
        await asyncio.sleep(0.001)
    return len(crew.started) == count


async def test_no_more_are_on_their_way_than_come_quickly_together(brought_up):
    crew, watching, _ = brought_up
    assert await stays(crew, supervisor._AT_ONCE)
    assert len(await watching.traders()) == MANY
    crew.in_ |= set(crew.started[:3])
    assert await stays(crew, supervisor._AT_ONCE + 3)


async def test_those_that_never_come_keep_nobody_waiting_for_ever(brought_up):
    crew, _, now = brought_up
    assert await stays(crew, supervisor._AT_ONCE)
    now[0] = supervisor._COMING_S
    assert await stays(crew, 2 * supervisor._AT_ONCE)
