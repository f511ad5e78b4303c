"""Stored prices over HTTP: quotes as they were, or candles made of them."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.errors import InvalidInput, NotFound
from omc.feature.frame import Frame, as_datetime
from omc.feature.resample import candles
from omc.ledger.exchange import BAR, PriceArchive
from omc.market.money import from_grid
from serve_apps.envelope import Page, Paging
from serve_apps.identity import Bearer
from serve_apps.wire import LATEST, Closing, Money, Opening, Ticker, Time

_INTERVALS = {
    "5m": BAR,
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
}
# Without a start, about as many bars as one large page holds.
_BARS_BY_DEFAULT = 200


class PriceQuery(Paging):
    """Without `end`, up to the newest stored price; without `start`, the 200 bars before the end."""

    coin: Ticker
    start: Opening | None = None
    end: Closing | None = None
    interval: Literal["5m", "15m", "1h", "4h", "1d"] = "5m"


class QuoteOut(BaseModel):
    """AUD for one coin."""

    coin: str
    timestamp: Time
    bid: Money
    ask: Money
    last: Money


class CandleOut(BaseModel):
    """AUD for one coin, of its last prices; `timestamp` is when the bar began."""

    coin: str
    timestamp: Time
    open: Money
    high: Money
    low: Money
    close: Money


def routes(path: str, archive: PriceArchive, bearer: Bearer) -> APIRouter:
    """The same prices at whichever path."""
    router = APIRouter(tags=["data"])

    @router.get(path)
    async def prices(
        _: Annotated[UUID, Depends(bearer)], query: Annotated[PriceQuery, Query()]
    ) -> Page[QuoteOut] | Page[CandleOut]:
        """One coin's prices, oldest first."""
        interval = _INTERVALS[query.interval]
        end = query.end or await _newest(query.coin)
        start = query.start or end - _BARS_BY_DEFAULT * interval
        if start > end:
            raise InvalidInput("start lies after end")
        frame = await archive.read([query.coin], start, end)
        return quotes(frame, query) if interval == BAR else bars(frame, interval, query)

    async def _newest(coin: str) -> datetime:
        # A played tape has its own time, before ours or after it.
        tail = await archive.tail([coin], LATEST, 1)
        if not len(tail):
            raise NotFound(f"no prices of {coin} are stored")
        return tail.time(0)

    return router


def quotes(frame: Frame, paging: Paging) -> Page[QuoteOut]:
    """A page of a frame of one coin."""
    quoted = np.flatnonzero(~np.isnan(frame.bid[:, 0]))
    rows = quoted[paging.offset : paging.offset + paging.per_page]
    items = [
        QuoteOut(
            coin=frame.coins[0],
            timestamp=frame.time(row),
            bid=from_grid(float(frame.bid[row, 0])),
            ask=from_grid(float(frame.ask[row, 0])),
            last=from_grid(float(frame.last[row, 0])),
        )
        for row in rows
    ]
    return Page.of(items, len(quoted), paging)


def bars(frame: Frame, interval: timedelta, paging: Paging) -> Page[CandleOut]:
    """A page of the candles of a frame of one coin."""
    table = candles(frame.times, frame.last[:, 0], interval)
    items = [
        CandleOut(
            coin=frame.coins[0],
            timestamp=as_datetime(table.times[bar]),
            open=from_grid(float(table.open[bar])),
            high=from_grid(float(table.high[bar])),
            low=from_grid(float(table.low[bar])),
            close=from_grid(float(table.close[bar])),
        )
        for bar in range(paging.offset, min(paging.offset + paging.per_page, len(table)))
    ]
    return Page.of(items, len(table), paging)
