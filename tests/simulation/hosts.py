"""Where actors live: every name has a process that dies and comes back with nothing, and sometimes two at once.

The handles are the real ones; what they find is a name here instead of Ray's. As with Ray, an actor that died is
constructed again by itself, calls under way fail, and nothing fences an old process: while it is cut off it goes on
beside its successor, whoever waits for it is told that it is gone, and now and then somebody still talks to it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ray.exceptions import RayError, RayTaskError

from tests.simulation.loop import Life
from tests.simulation.weather import Wire, settle


class Gone(RayError):
    """The process died, or nobody reaches it."""


class Raised(RayTaskError):
    """What a method raised, as it comes back over Ray."""

    def __init__(self, cause: Exception) -> None:
        Exception.__init__(self, str(cause))
        self.cause = cause

    def __str__(self) -> str:
        return repr(self.cause)


@dataclass(eq=False)
class Place:
    """A name, and the processes that have it."""

    name: str
    make: Callable[[Life], Any]
    life: Life | None = None
    cut_off: list[Life] = field(default_factory=list)
    """Older ones that still run."""
    wanted: bool = True
    lives: int = 0
    waiting: dict["asyncio.Future[Any]", Life] = field(default_factory=dict)
    """Who waits for an answer, and whose."""


class Hosts:
    def __init__(self, wire: Wire, rng: Random) -> None:
        self._wire, self._rng = wire, rng
        self.places: dict[str, Place] = {}
        self.deaths = self.splits = 0

    # Places

    def start(self, name: str, make: Callable[[Life], Any]) -> None:
        """Start the actor of that name, unless there is one."""
        if name not in self.places:
            place = self.places[name] = Place(name, make)
            self._soon(place, 0.01)

    def remove(self, name: str) -> None:
        """End it for good, as far as it can be reached."""
        place = self.places.get(name)
        if place is not None:
            place.wanted = False
            if place.life is not None:
                self.kill(place.life)
            del self.places[name]

    def kill(self, life: Life) -> None:
        """kill -9."""
        if life.dead:
            return
        life.dead, life.still = True, False
        life.waiting.clear()
        self.deaths += 1
        self._wire.tell("dies", str(life))
        for place in self.places.values():
            if life in place.cut_off:
                place.cut_off.remove(life)
            self._give_up(place, life)
            if place.life is life:
                place.life = None
                self._soon(place, self._rng.choice((0.02, 0.3, 2.0)))

    def split(self, name: str, still_s: float) -> None:
        """Nobody reaches it any more: it has a successor, and goes on (after `still_s` in which it stands still)."""
        place = self.places.get(name)
        if place is None or place.life is None:
            return
        old, place.life = place.life, None
        self.splits += 1
        self._wire.tell("cut off", str(old), f"stands still for {still_s:.3f} s")
        place.cut_off.append(old)
        self._give_up(place, old)
        self._stand_still(old, still_s)
        self._soon(place, self._rng.choice((0.0, 0.02, 0.3)))

    def stand_still(self, name: str, still_s: float) -> None:
        place = self.places.get(name)
        if place is not None and place.life is not None:
            self._wire.tell("stands still", str(place.life), f"for {still_s:.3f} s")
            self._stand_still(place.life, still_s)

    def rejoin(self) -> None:
        """The network holds again: what was cut off is ended, and nobody stands still."""
        for place in list(self.places.values()):
            for old in list(place.cut_off):
                self.kill(old)
            if place.life is not None and place.life.still:
                self._wire.loop.go_on(place.life)

    def all_die(self, keep: tuple[str, ...]) -> None:
        """The whole platform is gone; what is in `keep` is started again with it."""
        for name, place in list(self.places.items()):
            for life in [*place.cut_off, *([place.life] if place.life else [])]:
                self.kill(life)
            if name not in keep:
                self.remove(name)

    def _stand_still(self, life: Life, still_s: float) -> None:
        if still_s:
            life.still = True
            self._wire.later(still_s, self._wire.loop.go_on, life)

    def _give_up(self, place: Place, life: Life) -> None:
        for answer, of in list(place.waiting.items()):
            if of is life:
                del place.waiting[answer]
                self._wire.later(self._rng.choice((0.005, 0.2)), settle, answer, None, Gone(place.name))

    def _soon(self, place: Place, delay_s: float) -> None:
        self._wire.later(delay_s, self._boot, place)

    def _boot(self, place: Place) -> None:
        if not place.wanted or place.life is not None:
            return
        place.lives += 1
        life = Life(place.name, place.lives)
        place.life = life
        self._wire.tell("starts", str(life))
        life.actor = life.context.run(place.make, life)

    # Calls

    def find(self, name: str) -> "Caller | None":
        return Caller(self, self.places[name]) if name in self.places else None

    async def call(self, place: Place, method: str, args: tuple[Any, ...]) -> Any:
        how = await self._wire.cut(f"{place.name}.{method}")
        answer = self._wire.loop.create_future()
        self._wire.later(self._wire.takes(self._wire.weather.actor_s), self._arrive, place, method, args, answer)
        return await self._wire.sent(how, answer)

    def _arrive(self, place: Place, method: str, args: tuple[Any, ...], answer: "asyncio.Future[Any]") -> None:
        life = place.life
        if place.cut_off and self._rng.random() < 0.2:
            life = place.cut_off[-1]
        if life is None or life.dead or life.actor is None:
            self._answer(answer, None, Gone(place.name))
            return
        place.waiting[answer] = life
        work = _asked(getattr(life.actor, method), args)
        task = self._wire.loop.create_task(work, context=life.context.copy())
        task.add_done_callback(lambda done: self._done(place, life, done, answer), context=self._wire.outside)

    def _done(self, place: Place, life: Life, done: "asyncio.Task[Any]", answer: "asyncio.Future[Any]") -> None:
        if place.waiting.pop(answer, None) is None or life.dead:
            return
        if done.cancelled():
            self._answer(answer, None, Gone(f"{place.name}: cancelled"))
            return
        error = done.exception()
        raised = Raised(error) if isinstance(error, Exception) else None
        self._answer(answer, None if raised else done.result(), raised)

    def _answer(self, answer: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
        self._wire.later(self._wire.takes(self._wire.weather.actor_s), settle, answer, result, error)


@dataclass(frozen=True, slots=True)
class Caller:
    """What a handle finds."""

    hosts: Hosts
    place: Place

    def __getattr__(self, method: str) -> "Method":
        return Method(self, method)


@dataclass(frozen=True, slots=True)
class Method:
    caller: Caller
    name: str

    def remote(self, *args: Any) -> Any:
        return self.caller.hosts.call(self.caller.place, self.name, args)


async def _asked(method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    answer = method(*args)
    return await answer if asyncio.iscoroutine(answer) else answer
