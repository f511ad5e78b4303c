"""Random backtests: markets, costs, exits and decisions of every kind, small and near their edges."""

from math import inf
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from omc.backtest.cost import Costs, Slippage
from omc.backtest.limits import Limits
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.feature.frame import FloatArray
from omc.trading.exits import Exits

NAN = float("nan")


class Case(NamedTuple):
    market: Market
    decisions: FloatArray | Orders
    costs: Costs
    cash_cents: int
    exits: Exits
    close_at_end: bool


def markets(
    rng: np.random.Generator, rows: int, coins: int, tick: float, *, candles: bool, gaps: bool, step: float = 0.03
) -> Market:
    """A walk in steps of `tick`: a coarse one meets stops and limits to the very price."""
    start = rng.choice([20.0, 1_000.0, 60_000.0], coins)
    walk = start * np.exp(np.cumsum(rng.normal(0, step, (rows, coins)), axis=0))

    def ticked(prices: FloatArray) -> FloatArray:
        return np.rint(np.maximum(np.rint(prices / tick), 1.0) * tick * 1e8) / 1e8

    bid = ticked(walk)
    spread = rng.choice([0.0, tick, 3 * tick])
    ask = np.rint((bid + spread) * 1e8) / 1e8
    close = ticked(bid * np.exp(rng.normal(0, step * 0.7, bid.shape))) if candles else bid
    high = ticked(np.maximum(bid, close) * (1 + rng.exponential(step / 3, bid.shape) * (rng.random(bid.shape) < 0.7)))
    low = ticked(np.minimum(bid, close) * (1 - np.minimum(rng.exponential(step / 3, bid.shape), 0.5)))
    high, low = np.maximum(high, np.maximum(bid, close)), np.minimum(low, np.minimum(bid, close))
    volume = np.rint(rng.exponential(50.0, bid.shape) * 1e4) / 1e4
    if gaps:
        unquoted = rng.random(bid.shape) < min(5 * step, 0.3)
        bid, ask, close, high, low = (np.where(unquoted, NAN, each) for each in (bid, ask, close, high, low))
        # A close alone may be missing as well.
        close = np.where(rng.random(bid.shape) < step, NAN, close) if candles else bid
    if not candles:
        return Market(bid, ask, bid, volume=volume)
    return Market(bid, ask, close, high, low, volume)


def weights(rng: np.random.Generator, rows: int, coins: int, *, short: bool) -> FloatArray:
    """Rows that mostly repeat the one before."""
    drawn = rng.choice([0.0, 0.2, 0.5, 1.0, 1.0], (rows, coins)) * (rng.choice([1, -1], (rows, coins)) if short else 1)
    drawn /= np.maximum(abs(drawn).sum(axis=1, keepdims=True), 1.0)
    again = rng.random(rows) < rng.choice([0.0, 0.8])
    for t in range(1, rows):
        if again[t]:
            drawn[t] = drawn[t - 1]
    return drawn


def orders(rng: np.random.Generator, market: Market, targets: FloatArray) -> Orders:
    """Instructions in some of the rows, at prices near the market's."""

    def near(part: float, spread: float) -> FloatArray:
        prices = (
            np.rint(np.nan_to_num(market.close, nan=100.0) * (1 + rng.normal(0, spread, targets.shape)) * 100) / 100
        )
        return np.where(rng.random(targets.shape) < part, np.maximum(prices, 0.01), NAN)

    said = np.where(rng.random(targets.shape) < rng.choice([0.3, 0.9]), targets, NAN)
    parts = rng.choice([0.0, 0.5], 4)
    return Orders(
        said,
        limits=near(parts[0], 0.02) if rng.random() < 0.7 else None,
        triggers=near(parts[1], 0.02) if rng.random() < 0.7 else None,
        stops=near(parts[2], 0.05) if rng.random() < 0.7 else None,
        takes=near(parts[3], 0.05) if rng.random() < 0.7 else None,
        at_close=bool(rng.random() < 0.3),
    )


def exits(rng: np.random.Generator) -> Exits:
    def maybe(*values: float) -> float:
        return float(rng.choice(values)) if rng.random() < 0.5 else NAN

    ages = np.sort(rng.choice([0.0, 1.0, 1.5, 2.0, 4.0], rng.integers(0, 4), replace=False))
    return Exits(
        stop_loss=maybe(0.01, 0.02, 0.1),
        trailing=maybe(0.02, 0.05),
        trailing_tight=maybe(0.01, 0.03, 0.06),
        trailing_offset=float(rng.choice([0.0, 0.01, 0.03])),
        take_profit=tuple((float(age), float(rng.choice([0.05, 0.02, 0.01, 0.0, -0.02, -1.0]))) for age in ages),
        time_stop_bars=int(rng.choice([0, 0, 1, 3, 7])),
        reentry=bool(rng.random() < 0.4),
        gaps_at_open=bool(rng.random() < 0.7),
    )


def costs(rng: np.random.Generator, coins: int, *, rough: bool, short: bool) -> Costs:
    fees = np.array(rng.choice([0, 10, 100], coins), np.int64)
    plain = Costs(fees, float(rng.choice([0.0, 1.0, 1.0, 50.0])), float(rng.choice([0.0, 0.02, 0.3])))
    if not rough:
        return plain
    return Costs(
        plain.fee_bps,
        plain.min_order_aud,
        plain.band,
        slippage=Slippage(float(rng.choice([0.0, 2.5, 30.0])), float(rng.choice([0.0, 100.0]))),
        volume_share=float(rng.choice([0.02, 0.3, inf, inf])),
        quantity_step=float(rng.choice([1e-8, 1e-8, 0.001, 1.0])),
        price_step=float(rng.choice([1e-8, 0.01, 0.5])),
        latency_bars=int(rng.choice([0, 0, 0, 1, 3])),
        short=short,
        limits=Limits(
            max_weight=float(rng.choice([1.0, 0.4])),
            max_notional_aud=float(rng.choice([inf, 3_000.0])),
            max_gross=float(rng.choice([1.0, 0.7])),
            max_positions=None if rng.random() < 0.6 else int(rng.integers(1, coins + 1)),
        ),
    )


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    most_coins: int = 3,
    ordered: bool | None = None,
    rough: bool | None = None,
    plain_exits: bool = False,
) -> Case:
    """`ordered` and `rough` say whether decisions are Orders and costs more than the floor's; None leaves it open."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, coins = draw(st.sampled_from([30, 20, 40, 12, 5, 2, 1])), draw(st.integers(1, most_coins))
    are_orders = draw(st.booleans()) if ordered is None else ordered
    are_rough = draw(st.booleans()) if rough is None else rough
    short = are_rough and draw(st.booleans())
    tick = draw(st.sampled_from([1e-8, 0.01, 0.5]))
    step = draw(st.sampled_from([0.03, 0.03, 0.3]))
    market = markets(rng, rows, coins, tick, candles=draw(st.booleans()), gaps=draw(st.booleans()), step=step)
    targets = weights(rng, rows, coins, short=short)
    return Case(
        market,
        orders(rng, market, targets) if are_orders else targets,
        costs(rng, coins, rough=are_rough, short=short),
        draw(st.sampled_from([1_000_000, 10**9, 10**7, 12_345, 1])),
        Exits() if plain_exits or draw(st.booleans()) else exits(rng),
        draw(st.booleans()),
    )
