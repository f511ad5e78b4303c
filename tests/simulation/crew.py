"""The traders of a world, started and stopped as the real crew does it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors import address, handle
from actors.handle import TraderHandle
from omc.trading.deployment import Deployment, trader_name
from omc.trading.floor import TraderState

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class SimulatedCrew:
    """A Crew of actors in a world: as the real one, it lets them end and then kills them."""

    world: "World"

    async def running(self) -> list[str]:
        await self.world.wire.cut("crew.running")
        return sorted(name for name in self.world.hosts.places if name.startswith(address.TRADER_PREFIX))

    async def start(self, of: Deployment) -> None:
        await self.world.wire.cut("crew.start")
        self.world.hosts.start(trader_name(of), lambda _: self.world.trader(of))

    async def stop(self, name: str) -> None:
        actor = self.world.hosts.find(name)
        if actor is None:
            return
        try:
            await actor.stop.remote()
        except (handle.RayError, TimeoutError) as error:
            self.world.tell("would not stop", name, error)
        self.world.hosts.remove(name)

    async def state(self, name: str) -> TraderState:
        return await TraderHandle(name).state()
