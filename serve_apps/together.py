"""What many ask for at the same moment, asked once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Whoever comes while a question is under way gets its answer, which says how things stood a moment ago at the
    earliest: as long ago as an answer takes. `ask` has to end by itself, and goes on though nobody waits any more."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asking: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
            self._asking.add_done_callback(_heard)
        return await asyncio.shield(self._asking)


def _heard(asking: "asyncio.Future[T]") -> None:
    """A failure that everybody has stopped to wait for is nobody's."""
    if not asking.cancelled():
        asking.exception()
