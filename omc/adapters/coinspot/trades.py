"""CoinSpot's public lists of what was traded last on a coin's market: a hundred of each side."""

from collections.abc import Sequence
from typing import Any

from omc.adapters.coinspot.client import COINSPOT_URL, read_public
from omc.adapters.coinspot.holdoff import Holdoff
from omc.adapters.coinspot.line import Channel, Line
from omc.adapters.coinspot.wire import trades_of
from omc.trading.volumes import Traded


class CoinspotTrades:
    """A TradeSource. Inert until used."""

    def __init__(self, base_url: str = COINSPOT_URL, timeout_s: float = 10.0, line: Channel | None = None) -> None:
        self.base_url = base_url
        self.timeout_s = timeout_s
        self._line = line or Line(base_url, timeout_s)
        self._holdoff = Holdoff()

    def __repr__(self) -> str:
        return f"CoinspotTrades({self.base_url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return CoinspotTrades, (self.base_url, self.timeout_s)

    async def newest(self, coin: str) -> Sequence[Traded]:
        return trades_of(await read_public(self._line, f"orders/completed/{coin}", self._holdoff))

    async def close(self) -> None:
        await self._line.close()
