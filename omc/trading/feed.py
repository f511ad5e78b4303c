"""Following the journal account by account, and its twin in memory."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from omc.trading.journal import MemoryJournal
from omc.trading.stream import Numbered

Heard = Callable[[UUID | None], None]
"""Told whose journal has grown; with None, anybody's may have."""


class JournalFeed(Protocol):
    """The entries of each account, numbered from 1 without gaps in the order in which they became visible: whoever has
    read up to n has missed nothing below n."""

    async def position(self, user_id: UUID) -> int:
        """The number of the account's newest entry; 0 when it has none."""
        ...

    async def after(self, positions: Mapping[UUID, int], limit: int) -> list[Numbered]:
        """What followed after each account's position, by account and number, at most `limit` of each account."""
        ...

    async def watch(self, heard: Heard) -> None:
        """Go on telling whose journal grows, until cancelled. Telling is a hint: it may come twice, and for nothing;
        what was missed while nobody could be told is told as None."""
        ...


@dataclass(slots=True)
class MemoryFeed:
    """A JournalFeed of a journal in memory."""

    journal: MemoryJournal

    async def position(self, user_id: UUID) -> int:
        return sum(owner == user_id for owner, _ in self.journal.lines)

    async def after(self, positions: Mapping[UUID, int], limit: int) -> list[Numbered]:
        found = []
        for user_id, position in sorted(positions.items()):
            own = [entry for owner, entry in self.journal.lines if owner == user_id]
            numbered = [Numbered(user_id, number, entry) for number, entry in enumerate(own, start=1)]
            found += numbered[position : position + limit]
        return found

    async def watch(self, heard: Heard) -> None:
        self.journal.listeners.append(heard)
        try:
            heard(None)
            await asyncio.Event().wait()
        finally:
            self.journal.listeners.remove(heard)
