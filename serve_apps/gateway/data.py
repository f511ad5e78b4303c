"""What is known of the market."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.errors import NotFound, Unavailable
from omc.feature.bars import Grid
from omc.ledger.exchange import BAR
from serve_apps import prices
from serve_apps.envelope import Page, Paging
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.patience import soon
from serve_apps.together import Together
from serve_apps.wire import Metric, Money, Ticker, Time


class LatestQuery(Paging):
    coin: Ticker | None = None


class LatestOut(BaseModel):
    """The newest quote of a coin, in AUD. `timestamp` is the venue's; `age_s` is how long ago it reached us."""

    coin: str
    timestamp: Time
    bid: Money
    ask: Money
    last: Money
    age_s: Metric


class CoinOut(BaseModel):
    """A coin whose prices are stored. `bars` are the five minutes from the first to the last of them, gaps included;
    `price` is what it was last traded for, in AUD."""

    coin: str
    first: Time
    last: Time
    bars: int
    price: Money


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/data", tags=["data"])
    router.include_router(prices.routes("/prices", ports.archive, ports.arrow, bearer))
    quoted = Together(lambda: soon(asyncio.gather(ports.hot.newest(), ports.hot.status()), "the exchange collector"))

    @router.get("/prices/latest")
    async def latest(_: Annotated[UUID, Depends(bearer)], query: Annotated[LatestQuery, Query()]) -> Page[LatestOut]:
        """The hot cache, by ticker."""
        board, status = await quoted()
        if board is None:
            raise Unavailable("the exchange's prices have not arrived yet")
        if query.coin is not None and query.coin not in board.quotes:
            raise NotFound(f"the venue does not quote {query.coin}")
        age_s = None
        if status.last_run_at is not None:
            age_s = max(0.0, round((ports.clock.now() - status.last_run_at).total_seconds(), 3))
        items = [
            LatestOut(
                coin=coin,
                timestamp=board.time,
                bid=board.quotes[coin].bid_aud,
                ask=board.quotes[coin].ask_aud,
                last=board.quotes[coin].last_aud,
                age_s=age_s,
            )
            for coin in sorted(board.quotes)
            if query.coin in (None, coin)
        ]
        return Page.cut(items, query)

    @router.get("/coins")
    async def coins(_: Annotated[UUID, Depends(bearer)], query: Annotated[Paging, Query()]) -> Page[CoinOut]:
        """Coins whose prices are stored, by ticker."""
        spans = sorted((await ports.archive.spans()).items())
        shown = spans[query.offset : query.offset + query.per_page]
        newest = await ports.archive.newest([coin for coin, _ in shown]) if shown else {}
        items = [
            CoinOut(
                coin=coin, first=first, last=last, bars=Grid.over(first, last, BAR).count, price=newest[coin].last_aud
            )
            for coin, (first, last) in shown
        ]
        return Page.of(items, len(spans), query)

    return router
