"""The catalyst ledger as a stream: what became known in the last hour first, then each event as it is recorded.

The ledger is asked once for a replica. An event that is recorded more than an hour after it was seen is history, and is
not told. Numbers are each connection's own, so whoever asks for some coins misses none.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from omc.clock import Clock
from omc.errors import OmcError
from omc.ledger.cadence import Cadence
from omc.ledger.catalyst import Catalyst, CatalystLedger
from omc.trading.stream import Message, MessageType, time_text
from serve_apps.gateway.streams.client import Client

_log = logging.getLogger("omc.streams")

_NEWS = timedelta(hours=1)


class CatalystStream:
    """A Stream that is the same for all, but for the coins that each asks for."""

    def __init__(self, ledger: CatalystLedger, clock: Clock, cadence: Cadence) -> None:
        self._ledger, self._clock, self._cadence = ledger, clock, cadence
        self._known: dict[tuple[str, str, int], Catalyst] = {}
        self._clients: set[Client] = set()

    async def run(self) -> None:
        """Follow the ledger for as long as the replica lives."""
        failures = 0
        while True:
            try:
                await self._look(self._clock.now())
                failures = 0
            except OmcError as error:
                failures += 1
                _log.warning("the catalysts cannot be read", extra={"error": str(error), "failures": failures})
            await asyncio.sleep(self._cadence.pause_s(failures))

    async def join(self, client: Client) -> None:
        data: dict[str, Any] = {"catalysts": [_told(each) for each in self._known.values() if _concerns(client, each)]}
        if client.hello.seq is not None:
            data["reason"] = "numbers are this connection's own: this is what became known in the last hour"
        client.tell(Message(MessageType.SNAPSHOT, 0, self._clock.now(), data))
        self._clients.add(client)

    def leave(self, client: Client) -> None:
        self._clients.discard(client)

    async def _look(self, now: datetime) -> None:
        found = {each.name: each for each in await self._ledger.seen(now - _NEWS, now)}
        fresh = [each for name, each in found.items() if name not in self._known]
        self._known = found
        for client in tuple(self._clients):
            for each in fresh:
                if _concerns(client, each):
                    client.tell(Message(MessageType.CATALYST, client.seq + 1, now, _told(each)))


def _concerns(client: Client, catalyst: Catalyst) -> bool:
    """What is about no coin in particular is about the market, and so about every coin."""
    wanted = client.hello.coins
    return wanted is None or not catalyst.coins or not wanted.isdisjoint(catalyst.coins)


def _told(catalyst: Catalyst) -> dict[str, Any]:
    return {
        "type": catalyst.type,
        "title": catalyst.title,
        "coins": list(catalyst.coins),
        "priority": catalyst.priority,
        "url": catalyst.url,
        "source": catalyst.source,
        "source_id": catalyst.source_id,
        "revision": catalyst.revision,
        "event_at": time_text(catalyst.event_time),
        "observed_at": time_text(catalyst.seen_time),
    }
