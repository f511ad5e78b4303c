"""An account's journal as a stream: read once for a replica, written once, told to all of the account's clients.

A client that joins is told what it has missed out of the journal, as fast as it reads, until it stands where the others
stand; then it is one of them. Nothing is awaited between looking at where they stand and joining them, so nothing falls
between the two. Whoever has no room for what came in all at once, after the database was away say, catches up again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from omc.clock import Clock
from omc.errors import OmcError, Unavailable
from omc.ledger.cadence import Cadence
from omc.trading.feed import JournalFeed
from omc.trading.stream import Message, MessageType, Numbered, message_of
from serve_apps.gateway.streams.client import Client
from serve_apps.gateway.streams.outbox import SLOW
from serve_apps.gateway.streams.snapshot import Snapshots

_log = logging.getLogger("omc.streams")

_PAGE = 500
# Of what one client catches up on; it stays in memory for as long as that client takes to read it.
_PAGE_OF_ONE = 100
_MOST_REPLAYED = 10_000
_RECENT = 64


def written(numbered: Numbered) -> str:
    """The message of an entry. One that cannot be told is told by its kind alone: it must not hold up what follows."""
    try:
        return message_of(numbered).text()
    except Exception:
        entry = numbered.entry
        _log.exception("an entry of the journal cannot be told", extra={"seq": entry.seq, "kind": entry.kind})
        return Message(MessageType.RISK, numbered.number, entry.recorded_at, {"kind": entry.kind}).text()


@dataclass(eq=False, slots=True)
class Channel:
    """One account that somebody follows. `position` is the number of the last entry that was told to all."""

    position: int
    holders: set[Client] = field(default_factory=set)
    """Clients that have joined it or are about to."""
    clients: set[Client] = field(default_factory=set)
    recent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_RECENT))
    """The newest messages as they were written."""

    def tell(self, page: Sequence[Numbered]) -> None:
        """Tell the entries that come next to everybody."""
        told = []
        for numbered in page:
            if numbered.number == self.position + 1:
                self.position = numbered.number
                told.append((numbered.number, written(numbered)))
        self.recent.extend(told)
        size = sum(len(text) for _, text in told)
        for client in tuple(self.clients):
            if client.outbox.swamped(size, len(told), at_once=len(page) < _PAGE):
                self.clients.discard(client)
                client.behind.set()
                continue
            for number, text in told:
                # One that came by the journal's own pages may be ahead.
                if client.seq < number:
                    client.deliver(number, text)

    def since(self, seq: int) -> list[tuple[int, str]]:
        """What followed after that number, as it was written; nothing when that is too long ago."""
        if not self.recent or self.recent[0][0] > seq + 1:
            return []
        return [(number, text) for number, text in self.recent if number > seq]

    def admit(self, client: Client) -> bool:
        """Whether the client stands where the others stand, and is one of them now."""
        if client.seq < self.position:
            return False
        client.behind.clear()
        self.clients.add(client)
        return True


class FloorStream:
    """A Stream of each account."""

    def __init__(self, feed: JournalFeed, snapshots: Snapshots, clock: Clock, cadence: Cadence) -> None:
        self._feed, self._snapshots, self._clock, self._cadence = feed, snapshots, clock, cadence
        self._channels: dict[UUID, Channel] = {}
        self._grown: set[UUID] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Follow the journal for as long as the replica lives."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed.watch(self.heard))
            group.create_task(self._follow())

    def heard(self, user_id: UUID | None) -> None:
        """Somebody's journal has grown; None when anybody's may have."""
        if user_id is None:
            self._grown.update(self._channels)
        elif user_id in self._channels:
            self._grown.add(user_id)
        else:
            return
        self._wake.set()

    async def join(self, client: Client) -> None:
        channel = await self._channel(client.user_id)
        channel.holders.add(client)
        after = client.hello.seq
        newest = await self._feed.position(client.user_id)
        if after is None:
            await self._snapshot(client, None)
        elif after > newest:
            await self._snapshot(client, f"seq {after} lies in the future: the newest is {newest}")
        elif newest - after > _MOST_REPLAYED:
            await self._snapshot(client, f"more than {_MOST_REPLAYED} messages have passed since seq {after}")
        else:
            client.tell(Message(MessageType.RESUMED, after, self._clock.now(), {"after": after}))
        while not client.gone:
            await self._catch_up(client, channel)
            await client.behind.wait()

    def leave(self, client: Client) -> None:
        channel = self._channels.get(client.user_id)
        if channel is None:
            return
        channel.clients.discard(client)
        channel.holders.discard(client)
        if not channel.holders:
            del self._channels[client.user_id]

    async def _channel(self, user_id: UUID) -> Channel:
        """The account's channel, to be held before anything else is awaited."""
        if user_id not in self._channels:
            position = await self._feed.position(user_id)
            # Another may have opened it meanwhile; what was written since is looked up.
            self._channels.setdefault(user_id, Channel(position))
            self.heard(user_id)
        return self._channels[user_id]

    async def _snapshot(self, client: Client, reason: str | None) -> None:
        client.tell(await self._snapshots.of(client.user_id, reason))

    async def _catch_up(self, client: Client, channel: Channel) -> None:
        while not client.gone and not channel.admit(client):
            for number, text in channel.since(client.seq) or await self._missed(client):
                await client.outbox.room(len(text))
                client.deliver(number, text)
            if channel.position - client.seq > _MOST_REPLAYED:
                client.outbox.close(SLOW, "more is said than you read")

    async def _missed(self, client: Client) -> list[tuple[int, str]]:
        page = await self._feed.after({client.user_id: client.seq}, _PAGE_OF_ONE)
        if not page:
            raise Unavailable("the journal does not show what it has told")
        return [(numbered.number, written(numbered)) for numbered in page]

    async def _follow(self) -> None:
        failures = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            grown, self._grown = self._grown, set()
            try:
                await self._tell_all(grown)
                failures = 0
            except OmcError as error:
                self._grown |= grown
                self._wake.set()
                failures += 1
                _log.warning("the journal cannot be read", extra={"error": str(error), "failures": failures})
                await asyncio.sleep(self._cadence.pause_s(failures))

    async def _tell_all(self, grown: set[UUID]) -> None:
        positions = {user_id: self._channels[user_id].position for user_id in grown if user_id in self._channels}
        found = await self._feed.after(positions, _PAGE) if positions else []
        for user_id, entries in groupby(found, key=lambda numbered: numbered.user_id):
            page = list(entries)
            if user_id in self._channels:
                self._channels[user_id].tell(page)
            if len(page) == _PAGE:
                self.heard(user_id)
