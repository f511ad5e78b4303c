"""Calling an actor that dies, without Ray."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from ray.exceptions import ActorDiedError

from actors import address, handle
from omc.errors import Unavailable


class Ended:
    """The handle of an actor that works for a while at its first calls, and then dies of them."""

    def __init__(self, deaths: int, works_s: float) -> None:
        self.deaths, self.works_s = deaths, works_s

    def __getattr__(self, name: str) -> "Ended":
        return self

    async def remote(self, *_: Any) -> str:
        if self.deaths:
            self.deaths -= 1
            await asyncio.sleep(self.works_s)
            raise ActorDiedError
        return "done"


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Callable[[Ended], None]:
    return lambda actor: monkeypatch.setattr(address, "find", lambda _: actor)


async def test_time_that_an_actor_worked_before_it_died_is_not_time_that_it_was_away(
    running: Callable[[Ended], None],
) -> None:
    running(Ended(deaths=1, works_s=0.3))
    assert await handle.call("worker", "work", patience_s=0.2) == "done"


async def test_an_actor_that_dies_of_every_call_is_away(running: Callable[[Ended], None]) -> None:
    running(Ended(deaths=1000, works_s=0.0))
    with pytest.raises(Unavailable, match="worker2 is away"):
        await handle.call("worker2", "work", patience_s=0.1)
