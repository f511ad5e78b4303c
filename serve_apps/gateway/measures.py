"""What one coin's stored prices come to: returns, volatility, spread, moving averages, correlation."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from types import MappingProxyType
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from omc.errors import NotFound
from omc.feature import measures
from omc.feature.frame import FloatArray, Frame, as_datetime64
from omc.ledger.exchange import PriceArchive
from omc.market.money import from_grid
from serve_apps.envelope import Success
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.price_bars import INTERVALS, Interval
from serve_apps.wire import Body, Instant, Metric, Money, Ticker, Time

_SPANS: Mapping[str, timedelta] = MappingProxyType(
    {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
)
_BENCHMARK = "BTC"
_LONGEST = 200


class MeasureQuery(Body):
    """`window` counts the returns that volatility and correlation are made of, and the quotes' spreads averaged;
    `averages` count the prices of each moving average. All are an `interval` apart, backwards from `at`, or else from
    the coin's newest quote. The correlation is to `with`, or to BTC."""

    interval: Interval = "1h"
    window: int = Field(168, ge=2, le=_LONGEST)
    averages: list[Annotated[int, Field(ge=1, le=_LONGEST)]] = Field([20, 50, 200], max_length=5)
    with_: Ticker | None = Field(None, alias="with")
    at: Instant | None = None


class AverageOut(BaseModel):
    """The mean of the last `bars` prices in AUD; null when half of them are missing."""

    bars: int
    mean: Money | None


class MeasuresOut(BaseModel):
    """`returns` are fractions gained, by how long ago they began. `volatility` is the sample deviation of the
    logarithmic returns, annualized by the square root of how many intervals 365 days have. Spreads are basis points.
    `correlation` is Pearson's, of the logarithmic returns of both coins. Null is what too few prices are stored for."""

    coin: str
    at: Time
    interval: Interval
    window: int
    last: Money
    returns: dict[str, Metric]
    volatility: Metric
    spread_bps: Metric
    mean_spread_bps: Metric
    averages: list[AverageOut]
    correlated_with: str | None
    correlation: Metric


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a coin, and from when on backwards."""

    coin: str
    other: str | None
    until: datetime
    query: MeasureQuery


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/data/metrics", tags=["data"], dependencies=[Depends(bearer)])

    @router.get("/{coin}")
    async def measured(coin: Ticker, query: Annotated[MeasureQuery, Query()]) -> Success[MeasuresOut]:
        """Derived from what is stored of one coin, as it was known at one moment."""
        asked = await _asked(ports.archive, coin, query)
        frame = await ports.archive.read([coin], asked.until - _reach(query), asked.until)
        if not len(frame):
            raise NotFound(f"no prices of {coin} are stored in the time before {asked.until.isoformat()}")
        other = None
        if asked.other is not None:
            step = INTERVALS[query.interval]
            other = await ports.archive.read([asked.other], asked.until - (query.window + 1) * step, asked.until)
        return Success(data=await asyncio.to_thread(_measured, asked, frame, other))

    return router


async def _asked(archive: PriceArchive, coin: str, query: MeasureQuery) -> Asked:
    other = query.with_ or (_BENCHMARK if coin != _BENCHMARK else None)
    spans = await archive.spans(sorted({coin, other or coin}))
    for name in (coin, query.with_):
        if name is not None and name not in spans:
            raise NotFound(f"no prices of {name} are stored")
    newest = spans[coin][1]
    return Asked(coin, other if other in spans else None, min(query.at or newest, newest), query)


def _reach(query: MeasureQuery) -> timedelta:
    """How far back any of the measures looks."""
    steps = max([query.window + 1, *query.averages])
    longest = max(_SPANS.values())
    return max(steps * INTERVALS[query.interval], longest + longest / 24)


def _measured(asked: Asked, frame: Frame, other: Frame | None) -> MeasuresOut:
    query, last = asked.query, frame.last[:, 0]
    until, step = as_datetime64(asked.until), INTERVALS[query.interval]

    def sampled(of: Frame, values: FloatArray, count: int) -> FloatArray:
        return measures.samples(of.times, values, until, step, count)

    returns = measures.log_returns(sampled(frame, last, query.window + 1))
    spreads = measures.spread_bps(frame.bid[:, 0], frame.ask[:, 0])
    beside = measures.log_returns(sampled(other, other.last[:, 0], query.window + 1)) if other is not None else None
    means = [(bars, measures.mean(sampled(frame, last, bars))) for bars in query.averages]
    return MeasuresOut(
        coin=asked.coin,
        at=frame.time(len(frame) - 1),
        interval=query.interval,
        window=query.window,
        last=from_grid(float(last[-1])),
        returns={name: measures.gain(frame.times, last, until, span) for name, span in _SPANS.items()},
        volatility=measures.volatility(returns, step),
        spread_bps=float(spreads[-1]),
        mean_spread_bps=measures.mean(sampled(frame, spreads, query.window)),
        averages=[AverageOut(bars=bars, mean=None if isnan(mean) else from_grid(mean)) for bars, mean in means],
        correlated_with=asked.other,
        correlation=measures.correlation(returns, beside) if beside is not None else np.nan,
    )
