"""Hundreds of traders that wait for the collector's next quotes, through Ray: how soon the last of them has them."""

import asyncio
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from actors import address
from actors.collector import CollectorPorts, ExchangeCollector
from actors.handle import CollectorHandle, call
from omc.adapters.system_clock import SystemClock
from omc.ledger.cadence import Cadence
from omc.ledger.exchange import MemoryPriceArchive
from omc.market.quote import Quote, QuoteBoard
from omc.trading.deployment import MemoryDeploymentStore

NAME = "collector:bench"
_EVERY_S, _COINS = 3.0, 500


class Shows:
    """A PriceSource of so many coins, at the machine's own time."""

    async def latest(self) -> QuoteBoard:
        quotes = {
            f"C{number}": Quote(f"C{number}", Decimal(number + 1), Decimal(number + 2), Decimal(number + 1))
            for number in range(_COINS)
        }
        return QuoteBoard(datetime.fromtimestamp(time.time(), UTC), quotes)


class Waiters:
    """A process in which some of them wait."""

    async def wait(self, first: int, many: int, rounds: int, packed: bool) -> list[list[float]]:
        """Of each round, the milliseconds from the board's time to each one's having it."""
        handle, found = CollectorHandle(NAME), []
        await asyncio.gather(*(handle.after(f"t{first + number}", None, 30.0) for number in range(many)))
        newest = await handle.newest()
        seen = newest.time if newest else None
        for _ in range(rounds):
            boards = await asyncio.gather(*(self._one(handle, f"t{first + n}", seen, packed) for n in range(many)))
            found.append([(at - board.time.timestamp()) * 1e3 for at, board in boards])
            seen = max(board.time for _, board in boards)
        return found

    async def _one(self, handle: CollectorHandle, name: str, seen: Any, packed: bool) -> tuple[float, QuoteBoard]:
        while True:
            if packed:
                board = await handle.after(name, seen, 30.0)
            else:
                board = await call(NAME, "after", name, seen, 30.0, patience_s=30.0)
            if board is not None and not board.bar:
                return time.time(), board.board


def measure(many: int, processes: int = 5, rounds: int = 4) -> dict[str, Any]:
    """The first round is left out: its callers arrive one after the other."""
    import ray

    clock = SystemClock()
    ports = CollectorPorts(
        Shows(), MemoryPriceArchive(), clock, MemoryDeploymentStore(clock), None, Cadence(every_s=_EVERY_S)
    )
    address.start(ExchangeCollector, NAME, ports)
    waiters = [ray.remote(Waiters).options(num_cpus=0).remote() for _ in range(processes)]
    each, found = many // processes, {}
    for packed, name in ((False, "written for each"), (True, "written once")):
        asked = [one.wait.remote(at * each, each, rounds, packed) for at, one in enumerate(waiters)]
        ms = [value for answer in ray.get(asked) for row in answer[1:] for value in row]
        p50, p99 = np.percentile(ms, [50, 99])
        found[name] = {"p50_ms": round(float(p50), 1), "p99_ms": round(float(p99), 1), "max_ms": round(max(ms), 1)}
        print(
            f"{many} traders wait for {_COINS} coins, {name}: the median has them after {p50:.0f} ms, the last after "
            f"{max(ms):.0f} ms",
            flush=True,
        )
    asyncio.run(address.stop(NAME))
    return found
