"""Bars out of an archive, as a page shows them and as a file holds them. No more is read than is shown."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel

from omc.feature.bars import CandleBars, Grid, QuoteBars, candle_bars, quote_bars
from omc.feature.frame import Frame
from omc.feature.table import Columns, Schema, records
from omc.ledger.exchange import BAR, PriceArchive
from serve_apps.cursor import CursorPage
from serve_apps.envelope import Paging
from serve_apps.wire import Money, Time

Interval = Literal["5m", "15m", "1h", "4h", "1d"]
INTERVALS: dict[Interval, timedelta] = {
    "5m": BAR,
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
}
EVERY_QUOTE = 2**31 - 1
_QUOTES_A_PIECE = 25_920  # three months

_QUOTES: Schema = {
    "coin": "text",
    "timestamp": "time",
    "bid": "money",
    "ask": "money",
    "last": "money",
    "gap": "flag",
}
_CANDLES: Schema = {
    "coin": "text",
    "timestamp": "time",
    "open": "money",
    "high": "money",
    "low": "money",
    "close": "money",
    "quotes": "whole",
    "gap": "flag",
    "complete": "flag",
}


class QuoteOut(BaseModel):
    """AUD for one coin: the newest quote of five minutes. `timestamp` is when it was quoted; in a `gap`, when nothing
    was, that is when the five minutes began, and the prices are null."""

    coin: str
    timestamp: Time
    bid: Money | None
    ask: Money | None
    last: Money | None
    gap: bool


class CandleOut(BaseModel):
    """AUD for one coin, of its last prices; `timestamp` is when the bar began. `quotes` counts the five minutes of the
    bar in which the coin was quoted: in all of them makes it `complete`, in none a `gap`, whose prices are null."""

    coin: str
    timestamp: Time
    open: Money | None
    high: Money | None
    low: Money | None
    close: Money | None
    quotes: int
    gap: bool
    complete: bool


class QuotePage(CursorPage[QuoteOut]):
    """Quotes every five minutes, oldest first."""


class CandlePage(CursorPage[CandleOut]):
    """Candles, oldest first."""


BarPage = QuotePage | CandlePage


def schema_of(grid: Grid) -> Schema:
    return _QUOTES if grid.interval == BAR else _CANDLES


@dataclass(frozen=True, slots=True)
class Bars:
    """Those of one coin, of one length, from one moment to another."""

    archive: PriceArchive
    coin: str
    grid: Grid

    async def count(self, part: Grid) -> int:
        """How many quotes are stored in it. Quotes are added, never changed: as long as this stays, so do the bars."""
        if not part.count:
            return 0
        return await self.archive.count([self.coin], part.first, part.last_moment, EVERY_QUOTE)

    async def page(self, part: Grid, paging: Paging, next_cursor: str | None) -> BarPage:
        rows = records(schema_of(part), await self._columns(part))
        total = self.grid.count
        if part.interval == BAR:
            return QuotePage.reaching([QuoteOut(**row) for row in rows], total, paging, next_cursor)
        return CandlePage.reaching([CandleOut(**row) for row in rows], total, paging, next_cursor)

    async def pieces(self) -> AsyncIterator[Columns]:
        for part in self.grid.parts(max(1, _QUOTES_A_PIECE // self.grid.expected_quotes)):
            yield await self._columns(part)

    async def _columns(self, part: Grid) -> Columns:
        frame = await self.archive.read([self.coin], part.first, part.last_moment)
        lay: Callable[[Frame, Grid], QuoteBars | CandleBars] = quote_bars if part.interval == BAR else candle_bars
        rows = await asyncio.to_thread(lay, frame, part)
        named = {name: getattr(rows, name) for name in schema_of(part) if name not in ("coin", "timestamp")}
        return {"coin": [self.coin] * part.count, "timestamp": rows.times, **named}
