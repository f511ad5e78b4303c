"""What happens to a world from outside, each thing at its time: fate, people's requests, and owners' hands."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from omc.errors import Conflict, Halted
from omc.risk.kill_switch import HaltLevel
from omc.trading.deployment import Deployment, DeploymentStatus
from tests.simulation.asking import Asking
from tests.simulation.by_hand import alike, by_hand
from tests.simulation.fate import clear_up, strike
from tests.simulation.happening import Act, Blow, Hand, Happening
from tests.simulation.world import World

_LEVELS = {
    Act.NO_ENTRY: HaltLevel.ADDING,
    Act.NO_ENTRY_OF_ONE: HaltLevel.ADDING,
    Act.NO_ENTRY_BY_FILE: HaltLevel.ADDING,
}
_ONE = frozenset({Act.STOP_ONE, Act.NO_ENTRY_OF_ONE, Act.NO_ENTRY_BY_FILE})


@dataclass(slots=True)
class Outside:
    world: World
    touched: bool = False
    """Whether a person has asked for anything."""
    under_way: int = 0
    asking: Asking = field(init=False)

    def __post_init__(self) -> None:
        self.asking = Asking(self.world)

    def arrange(self) -> None:
        for each in self.world.scenario.happenings:
            self.world.wire.later(each.at_s, self._happen, each)
        self.world.wire.later(self.world.scenario.fair_s, clear_up, self.world)

    def _happen(self, each: Happening) -> None:
        self.world.tell("happens:", each.what.value)
        match each.what:
            case Blow():
                strike(self.world, each, each.what)
            case Hand.ALIKE:
                self._begin(alike(self.world, each))
            case Hand():
                by_hand(self.world, each, each.what)
            case Act():
                self.touched = True
                self._begin(self._act(each, each.what))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.under_way += 1
        task = self.world.loop.create_task(work, context=self.world.wire.outside.copy())
        task.add_done_callback(self._over, context=self.world.wire.outside)

    def _over(self, task: "asyncio.Task[None]") -> None:
        self.under_way -= 1
        task.result()

    async def _act(self, each: Happening, act: Act) -> None:
        one = self.world.deployed[each.which % len(self.world.deployed)]
        try:
            await (self._halt(one, act, each.which) if act in _HALTS else self._ask(one, act, each.which))
        except (Halted, Conflict) as no:
            # A stop that was still under way when it was reset has tripped the switch again.
            self.world.tell("not done:", act.value, no)

    async def _halt(self, one: Deployment, act: Act, which: int) -> None:
        level, alone = _LEVELS.get(act, HaltLevel.ALL), act in _ONE
        if act in (Act.STOP_BY_FILE, Act.STOP_ALL_BY_FILE, Act.NO_ENTRY_BY_FILE):
            everybody, late = act is Act.STOP_ALL_BY_FILE, which % 2 == 0
            await self.asking.by_file(one, everybody=everybody, alone=alone, level=level, late=late)
        else:
            liquidate = act is Act.SELL_OUT or (act is Act.STOP_ONE and which % 2 == 0)
            await self.asking.stop(one, "enough", alone=alone, liquidate=liquidate, level=level)

    async def _ask(self, one: Deployment, act: Act, which: int) -> None:
        asking = self.asking
        match act:
            case Act.RESET:
                await asking.reset()
            case Act.ACTIVATE:
                await asking.activate_all()
            case Act.PAUSE:
                await asking.move(one, DeploymentStatus.PAUSED)
            case Act.CANCEL:
                await asking.cancel(which)
            case Act.MOVE:
                await asking.move_limit(which)
            case Act.FORCE_EXIT:
                await asking.force_exit(one, (one.coins[which % len(one.coins)],), f"exit {which}")
            case Act.FORCE_OUT:
                await asking.force_exit(one, (), f"out {which}")
            case Act.RESOLVE:
                await asking.resolve_all()
            case Act.ACCEPT:
                await asking.accept(one)
            case Act.NEW_KEY:
                await self.asking.replace_key(one)


_HALTS = frozenset(
    {Act.STOP, Act.SELL_OUT, Act.STOP_BY_FILE, Act.STOP_ONE, Act.STOP_ALL_BY_FILE, *_LEVELS},
)
