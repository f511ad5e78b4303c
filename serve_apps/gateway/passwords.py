"""Passwords hashed off the event loop, a few at a time: each costs memory and tens of milliseconds on purpose."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from omc.access.password import PasswordHasher
from omc.errors import Unavailable
from serve_apps.uncut import uncut

T = TypeVar("T")
_AT_ONCE = 2
_MOST_WAITING = 64
_NOBODYS_PASSWORD = "the password of an account that does not exist"  # noqa: S105  it protects nothing


class Passwords:
    """A PasswordHasher for a server. An unknown account costs as much time as a known one; more work than fits in a few
    seconds is refused rather than queued, and memory is that of two hashes."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        # Made beforehand, so that no unknown account ever costs more than a known one.
        self._nobodys = hasher.hash(_NOBODYS_PASSWORD)

    async def hash(self, password: str) -> str:
        return await self._in_turn(lambda: self._hasher.hash(password))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """False when `hashed` is None, after as much work as if it were not."""
        return await self._in_turn(lambda: self._hasher.matches(password, hashed or self._nobodys) and bool(hashed))

    def outdated(self, hashed: str) -> bool:
        return self._hasher.outdated(hashed)

    def check_room(self) -> None:
        """Unavailable while too many are being checked: asked before an attempt counts as one."""
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("too many passwords are being checked at this moment: ask again")

    async def _in_turn(self, work: Callable[[], T]) -> T:
        self.check_room()
        # Counted before anything else can run, and until the work is done.
        self._waiting += 1
        # A thread cannot be stopped: when its client goes away, its turn must last until it is done.
        return await uncut(self._turned(work))

    async def _turned(self, work: Callable[[], T]) -> T:
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
