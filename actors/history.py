"""What a trader reads of the past. A coin that was never quoted yet, or not since anything is stored, has no quotes: it
keeps nobody from trading the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from omc.errors import NotFound
from omc.feature.frame import Frame
from omc.ledger.exchange import PriceArchive
from omc.trading.window import widened


@dataclass(frozen=True, slots=True)
class History:
    """Of an archive, and by its rules, but for what it does not know."""

    archive: PriceArchive

    async def tail(self, coins: Sequence[str], until: datetime, bars: int) -> Frame:
        """NotFound when nothing is stored of any of `coins`."""
        try:
            return await self.archive.tail(coins, until, bars)
        except NotFound:
            return widened(await self.archive.tail(await self._known(coins), until, bars), coins)

    async def read(self, coins: Sequence[str], start: datetime, end: datetime) -> Frame:
        """NotFound when nothing is stored of any of `coins`."""
        try:
            return await self.archive.read(coins, start, end)
        except NotFound:
            return widened(await self.archive.read(await self._known(coins), start, end), coins)

    async def _known(self, coins: Sequence[str]) -> list[str]:
        stored = await self.archive.spans(coins)
        known = [coin for coin in coins if coin in stored]
        if not known:
            raise NotFound(f"no prices of {', '.join(coins)} are stored")
        return known
