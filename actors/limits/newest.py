"""The newest quotes, for verdicts: those of one moment ask once, and each may ask while its order is journaled."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from actors.asking import Asking
from omc.errors import Unavailable
from omc.market.quote import QuoteBoard

Told = QuoteBoard | Unavailable | None
NEW_S = 0.05
"""Quotes change less often by far."""


class Newest:
    """One for all verdicts of a risk desk."""

    def __init__(self, ask: Callable[[], Awaitable[QuoteBoard | None]], new_s: float = NEW_S) -> None:
        """Of a verdict on quotes that were asked for longer ago than `new_s`, others are asked for."""
        self._new_s = new_s
        self._ask = ask
        self._asking = Asking(ask)
        self._asked: dict[str, tuple[float, asyncio.Task[Told]]] = {}
        """By order: since when they are asked for, and what is said."""

    @contextmanager
    def listening(self, client_order_id: str) -> Iterator[None]:
        """Ask for them now: the order's verdict, if it comes soon, need not wait for them."""
        loop = asyncio.get_running_loop()
        asked = loop.create_task(self._told())
        self._asked[client_order_id] = loop.time(), asked
        try:
            yield
        finally:
            asked.cancel()
            with suppress(KeyError):
                del self._asked[client_order_id]

    async def of(self, client_order_id: str, quoted_at: datetime) -> Told:
        """For the verdict on an order; one sized on later quotes than it then hears of asks again."""
        since_s, asked = self._asked.pop(client_order_id, (0.0, None))
        fresh = asked is not None and asyncio.get_running_loop().time() - since_s <= self._new_s
        told = await (asked if asked is not None and fresh else self._told())
        if isinstance(told, QuoteBoard) and told.time < quoted_at:
            return await _or_fault(self._ask())
        return told

    async def _told(self) -> Told:
        return await _or_fault(self._asking.answer())


async def _or_fault(asked: Awaitable[QuoteBoard | None]) -> Told:
    try:
        return await asked
    except Unavailable as fault:
        return fault
