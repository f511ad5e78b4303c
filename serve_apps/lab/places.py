"""A few places for work that takes minutes, of which nobody has two: one user's slow code keeps no other waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary


class Places:
    """Who comes again while he has a place waits for his own to be free, before he waits for one of everybody's."""

    def __init__(self, many: int) -> None:
        self._room = asyncio.Semaphore(many)
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def one(self, user_id: UUID) -> AsyncIterator[None]:
        turn = self._turns.setdefault(user_id, asyncio.Lock())
        async with turn, self._room:
            yield
