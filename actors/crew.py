"""The traders that run, each an actor of its own."""

import pickle
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

from ray import cloudpickle

from actors import address
from actors.handle import TraderHandle
from actors.trader import TraderActor, TraderPorts
from omc.trading.deployment import Deployment, trader_name
from omc.trading.floor import TraderState


class Crew(Protocol):
    """Starts and stops traders, by name."""

    async def running(self) -> list[str]: ...

    async def start(self, deployment: Deployment) -> None:
        """Starting one that runs already changes nothing."""
        ...

    async def stop(self, name: str) -> None:
        """Let it finish its order under way, then end it; returns when it is gone."""
        ...

    async def state(self, name: str) -> TraderState:
        """Unavailable when it does not answer soon."""
        ...


@dataclass(frozen=True)
class Packed:
    """Ports that travel closed: who only passes them on loads nothing of what they hold."""

    content: bytes

    @classmethod
    def of(cls, ports: TraderPorts) -> Self:
        # As Ray itself would: a test's twins may hold what only this can pack.
        pack: Any = cloudpickle.dumps
        return cls(pack(ports))

    def __call__(self) -> TraderPorts:
        # Our own, from the process that started the floor.
        return cast(TraderPorts, pickle.loads(self.content))  # noqa: S301


@dataclass(frozen=True)
class RayCrew:
    """A Crew of detached actors."""

    ports: Packed

    async def running(self) -> list[str]:
        return address.running(address.TRADER_PREFIX)

    async def start(self, deployment: Deployment) -> None:
        name = trader_name(deployment)
        address.start(TraderActor, name, self.ports, deployment.id, name)

    async def stop(self, name: str) -> None:
        await address.stop(name)

    async def state(self, name: str) -> TraderState:
        return await TraderHandle(name).state()
