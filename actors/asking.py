"""A question that many have at the same moment is asked once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Asking(Generic[T]):
    """Whoever comes while an answer is on its way has that one, too, with its fault if it has one."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._on_its_way: asyncio.Task[T] | None = None

    async def answer(self) -> T:
        asked = self._on_its_way
        if asked is None or asked.done():
            asked = self._on_its_way = asyncio.ensure_future(self._asked())
        # Who does not wait any more takes it from nobody else.
        return await asyncio.shield(asked)

    async def _asked(self) -> T:
        return await self._ask()
