"""What outlasts every process of a world besides its stores: the wall clock, and the folder of halts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from omc.risk.halt_files import MemoryHaltFiles, Place
from omc.risk.kill_switch import Halt
from tests.actors.mortal import START
from tests.simulation.loop import VirtualLoop


@dataclass(slots=True)
class LoopClock:
    """The wall clock of the world: the loop's time, and by how much it has jumped."""

    loop: VirtualLoop
    jumped: timedelta = timedelta(0)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.time()) + self.jumped


@dataclass(slots=True)
class Held:
    """A halt that a file tells of, from when on and until when, by the loop's time."""

    halt: Halt
    since_s: float
    until_s: float = inf


@dataclass(slots=True)
class TimedHaltFiles(MemoryHaltFiles):
    """The folder of halts, and when it held which: nothing that they stop may leave then, but what the house sells."""

    seconds: Callable[[], float] = float
    held: list[Held] = field(default_factory=list)

    async def trip(self, halt: Halt) -> Halt:
        kept = await MemoryHaltFiles.trip(self, halt)
        if not any(each.halt == kept and each.until_s == inf for each in self.held):
            self.held.append(Held(kept, self.seconds()))
        return kept

    async def reset(self, place: Place, mark: str) -> bool:
        done = await MemoryHaltFiles.reset(self, place, mark)
        if done:
            for each in self.held:
                if each.halt.place == place:
                    each.until_s = min(each.until_s, self.seconds())
        return done
