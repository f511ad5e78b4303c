"""Random markets, decisions, exits and terms that trade a lot, for engines to agree on."""

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import numpy as np
from hypothesis import strategies as st

from omc.backtest.cost import Costs, Slippage
from omc.backtest.market import Market
from omc.feature.frame import FloatArray, TimeArray
from omc.market.terms import Terms
from omc.trading.exits import Exits
from omc.trading.mandate import Mandate

COINS = ("BTC", "XYZ", "ETH")
NAN = float("nan")
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Case:
    market: Market
    weights: FloatArray
    exits: Exits
    terms: Terms
    band: float
    cash_aud: Decimal
    slippage_bps: float = 0.0
    latency_bars: int = 0

    @property
    def coins(self) -> tuple[str, ...]:
        return COINS[: self.weights.shape[1]]

    @property
    def mandate(self) -> Mandate:
        return Mandate(NOBODY, NOBODY, self.coins, self.band, self.exits, self.terms)

    @property
    def times(self) -> TimeArray:
        return np.datetime64("2025-01-01", "us") + np.arange(len(self.weights)) * np.timedelta64(300, "s")

    @property
    def costs(self) -> Costs:
        plain = Costs.of(self.terms, self.coins, self.band)
        return replace(plain, slippage=Slippage(self.slippage_bps), latency_bars=self.latency_bars)


exits = st.builds(
    Exits,
    stop_loss=st.sampled_from([NAN, NAN, 0.01, 0.03, 0.1]),
    trailing=st.sampled_from([NAN, NAN, 0.02, 0.05]),
    trailing_tight=st.sampled_from([NAN, NAN, 0.01, 0.04]),
    trailing_offset=st.sampled_from([0.0, 0.01, 0.03]),
    take_profit=st.sampled_from([(), (), ((0, 0.04),), ((0, 0.1), (2, 0.01), (5, -0.02)), ((1, 0.03), (3.5, 0.0))]),
    time_stop_bars=st.sampled_from([0, 0, 1, 4]),
    reentry=st.booleans(),
    gaps_at_open=st.sampled_from([True, True, True, False]),
)


def prices(rng: np.random.Generator, rows: int, coins: int, kind: str, gaps: float) -> Market:
    """Bars on the grid of eight decimals: of quotes, of candles, or of candles on so coarse a grid that prices meet."""
    shape = (rows, coins)
    start = np.array([90_000.0, 0.004, 3.0])[:coins]
    step = start / 200 if kind == "coarse" else np.full(coins, 1e-8)

    def on_grid(values: FloatArray) -> FloatArray:
        return np.rint(np.maximum(np.rint(values / step), 1.0) * step * 1e8) / 1e8

    close = start * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0))
    opens = close * np.exp(rng.normal(0, 0.02, shape))
    if kind == "quotes":
        bid = on_grid(opens)
        high = low = close = bid
    else:
        bid, close = on_grid(opens), on_grid(close)
        high = on_grid(np.maximum(bid, close) * np.exp(abs(rng.normal(0, 0.02, shape))))
        low = on_grid(np.minimum(bid, close) * np.exp(-abs(rng.normal(0, 0.02, shape))))
        high, low = np.maximum(high, np.maximum(bid, close)), np.minimum(low, np.minimum(bid, close))
    spread = rng.uniform(0, 0.01, shape) if kind == "quotes" or rng.random() < 0.5 else 0.0
    ask = np.rint(bid * (1 + spread) * 1e8) / 1e8
    missing = rng.random(shape) < gaps
    bid, ask, close, high, low = (np.where(missing, np.nan, each) for each in (bid, ask, close, high, low))
    return Market(bid, ask, close, high, low)


def wanted(rng: np.random.Generator, rows: int, coins: int, kind: str) -> FloatArray:
    """Weights that come and go, or keep for a while."""
    weights = rng.random((rows, coins)) * (rng.random((rows, coins)) < 0.7)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    if kind == "kept":
        weights = np.repeat(weights, 5, axis=0)[:rows]
    if kind == "all or nothing":
        weights = np.where(weights > 0.3, 1.0 / coins, 0.0)
    return weights


@st.composite
def cases(draw: st.DrawFn, most_rows: int = 40, kinds: tuple[str, ...] = ("quotes", "candles", "coarse")) -> Case:
    rows, coins = draw(st.integers(1, most_rows)), draw(st.integers(1, len(COINS)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(kinds))
    return Case(
        market=prices(rng, rows, coins, kind, draw(st.sampled_from([0.0, 0.0, 0.1]))),
        weights=wanted(rng, rows, coins, draw(st.sampled_from(["random", "kept", "all or nothing"]))),
        exits=draw(exits),
        terms=Terms(
            instant_fee_bps=draw(st.sampled_from([100, 0])),
            market_fee_bps=draw(st.sampled_from([10, 0, 30])),
            min_order_aud=draw(st.sampled_from([Decimal("1.00"), Decimal("0.01"), Decimal(300)])),
        ),
        band=draw(st.sampled_from([0.0, 0.05])),
        cash_aud=draw(st.sampled_from([Decimal(10_000), Decimal("777.77"), Decimal(5_000_000)])),
        slippage_bps=draw(st.sampled_from([0.0, 0.0, 2.5, 30.0])),
        latency_bars=draw(st.sampled_from([0, 0, 0, 1, 3])),
    )
