"""Requests that an exchange has admitted and carries out later, when whoever sent them may have given up long since."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from omc.adapters.coinspot.exchange.answer import Refusal
from omc.errors import InvalidInput, VenueRefused


@dataclass(slots=True)
class Late:
    """Times are the running loop's, in seconds. What is due is carried out before anything that comes after it is."""

    _waiting: list[tuple[float, int, Context, Callable[[], Any]]] = field(default_factory=list)
    _count: int = 0

    def put_off(self, act: Callable[[], Any], by_s: float) -> None:
        """Carry `act` out `by_s` from now, as whoever asks for it now would."""
        loop = asyncio.get_running_loop()
        due_s, self._count = loop.time() + by_s, self._count + 1
        heappush(self._waiting, (due_s, self._count, copy_context(), act))
        loop.call_at(due_s, self.catch_up)

    def catch_up(self) -> None:
        """Whatever is due by now."""
        # A timer may ring a moment before its time.
        now_s = asyncio.get_running_loop().time() + 0.001
        while self._waiting and self._waiting[0][0] <= now_s:
            _, _, context, act = heappop(self._waiting)
            # A no that nobody hears.
            with suppress(Refusal, VenueRefused, InvalidInput):
                context.run(act)
