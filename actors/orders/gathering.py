"""Looking again and again at what is traded on the markets, so that volumes are known when an order is to follow them.

A venue shows its last trades only: what more than those was traded between two looks is not counted. That makes a busy
stretch look less busy than it was, and nothing else depends on it.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from omc.errors import OmcError
from omc.trading.volumes import TradeSource, Volumes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gathering:
    source: TradeSource
    volumes: Volumes
    coins: Sequence[str]
    every_s: float

    async def run(self) -> None:
        """One coin after the other, all of them in `every_s`, until cancelled."""
        failing: set[str] = set()
        while True:
            for coin in self.coins:
                await asyncio.sleep(self.every_s / len(self.coins))
                try:
                    await self.volumes.add(coin, await self.source.newest(coin))
                    failing.discard(coin)
                except OmcError as fault:
                    # Told once: a venue may be away for hours.
                    if coin not in failing:
                        _log.warning("volumes are not known", extra={"coin": coin, "error": str(fault)})
                    failing.add(coin)
            if not self.coins:
                return
