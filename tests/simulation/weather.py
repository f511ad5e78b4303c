"""What goes wrong between two processes, drawn from one seed: how long messages take, which are lost, who dies.

A message that was sent arrives, though whoever sent it has died since. What is lost is lost before its effect or after
it, and the asker cannot tell which: it is told that the other side is not to be had, or nothing at all.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Any, NoReturn

from omc.errors import Unavailable
from tests.simulation.loop import OWNER, Life, VirtualLoop


class Cut(Enum):
    """When, in a call that it makes, a process dies."""

    BEFORE = "before it asks"
    SENT = "after it asked"
    ANSWERED = "as it is answered"
    CUT_OFF = "not: it stands still before it asks, is replaced meanwhile, and goes on"


@dataclass(slots=True)
class Weather:
    """`*_s` are means of what a message takes each way; `*_lost` are shares of messages."""

    store_s: float
    store_lost: float
    actor_s: float
    exchange_s: float
    network_faults: float
    slow: float
    """The share of messages that take a hundred times as long."""
    cuts: dict[int, Cut]
    """Who makes that call of all, counted from 1, dies at it."""

    def clear_up(self) -> None:
        self.store_lost = self.network_faults = self.slow = 0.0
        self.cuts.clear()


@dataclass(slots=True)
class Wire:
    """Carries messages. `kill` ends a life, `cut_off` replaces one that stands still, `tell` writes a line of the
    trace."""

    loop: VirtualLoop
    weather: Weather
    rng: Random
    kill: Callable[[Life], None]
    cut_off: Callable[[Life, float], None]
    tell: Callable[..., None]
    calls: int = 0
    stores_down: bool = False
    armed: bool = False
    """Whether who sends next is cut off: it has written ahead that it does, and has no nonce yet."""
    outside: Context = field(default_factory=Context)
    """Nobody's: what is on its way belongs to no process."""

    def takes(self, mean_s: float) -> float:
        slow = 100.0 if self.weather.slow and self.rng.random() < self.weather.slow else 1.0
        return self.rng.expovariate(1.0 / mean_s) * slow

    def later(self, delay_s: float, act: Callable[..., None], *args: Any) -> None:
        self.loop.call_later(delay_s, act, *args, context=self.outside)

    async def cut(self, what: str) -> Cut | None:
        """How whoever asks dies at this call; it does not return when that is before the call."""
        life = OWNER.get()
        if life is None:
            return None
        self.calls += 1
        how = self.weather.cuts.pop(self.calls, None)
        if how is not None:
            self.tell("cut", what, how.value)
        if how is Cut.CUT_OFF:
            self.cut_off(life, self.rng.choice((0.05, 0.5, 2.0, 15.0)))
            # Comes back when it runs again.
            await asyncio.sleep(0)
            return None
        if how is Cut.BEFORE:
            self.kill(life)
        if life.dead:
            await self.never()
        return how

    async def sending(self) -> None:
        """Whoever sends an order comes by here."""
        life = OWNER.get()
        if self.armed and life is not None:
            self.armed = False
            self.cut_off(life, self.rng.choice((0.5, 2.0, 15.0)))
            await asyncio.sleep(0)

    async def never(self) -> NoReturn:
        while True:
            await self.loop.create_future()

    async def sent(self, how: Cut | None, answer: "asyncio.Future[Any]") -> Any:
        """Wait for the answer to a message that is on its way, as far as whoever asked lives."""
        life = OWNER.get()
        if life is not None and how is Cut.SENT:
            self.kill(life)
            await self.never()
        if life is not None and how is Cut.ANSWERED:
            with suppress(Exception):
                await answer
            self.kill(life)
            await self.never()
        return await answer

    async def ask(self, what: str, act: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """One call of a store: a transaction at its own moment, whoever waits for it."""
        how = await self.cut(what)
        lost = self.rng.random() if self.weather.store_lost else 1.0
        answer = self.loop.create_future()
        before, after = lost < self.weather.store_lost / 2, lost < self.weather.store_lost
        self.later(self.takes(self.weather.store_s), self._act, what, act, answer, before, after)
        return await self.sent(how, answer)

    def _act(
        self,
        what: str,
        act: Callable[[], Coroutine[Any, Any, Any]],
        answer: "asyncio.Future[Any]",
        lost_before: bool,
        lost_after: bool,
    ) -> None:
        result: Any = None
        error: Exception | None = None
        if lost_before or self.stores_down:
            error = Unavailable("the database cannot be reached")
        else:
            try:
                result = at_once(act())
            except Exception as fault:
                error = fault
            if lost_after:
                error = Unavailable("the connection to the database was lost")
        self.tell(what, repr(error) if error else result, "lost" if lost_before or lost_after else "")
        self.later(self.takes(self.weather.store_s), settle, answer, result, error)


def settle(answer: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    """Tell whoever waits, if anybody does."""
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """What a twin answers: its methods are transactions, so they never wait."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("a twin that stands for a transaction has waited in its middle")


class Remote:
    """A port at the other end of a wire."""

    def __init__(self, port: Any, wire: Wire, name: str, instead: Mapping[str, Any] | None = None) -> None:
        self._port, self._wire, self._name = port, wire, name
        self.__dict__.update(instead or {})

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._port, method)
        if not asyncio.iscoroutinefunction(target):
            return target
        what, wire = f"{self._name}.{method}", self._wire

        async def called(*args: Any, **kwargs: Any) -> Any:
            return await wire.ask(what, lambda: target(*args, **kwargs))

        self.__dict__[method] = called
        return called
