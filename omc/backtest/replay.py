"""The event engine: the floor's own `Trader`, `RiskBook` and `PaperVenue` over a tape, without a floor around them.

No decision is made here twice: what to order, whether it may be sent and what the venue makes of it is asked of the
very objects that trade. Bars in which the trader says that it would send nothing are passed over, all at once.
`omc/backtest/stage.py` is what they play on.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from omc.backtest.execution import slipped
from omc.backtest.kernel import BUY
from omc.backtest.market import Market
from omc.backtest.stage import Stage
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, TimeArray
from omc.portfolio.account import Account
from omc.risk.limits import Limits
from omc.trading.blotter import TraderMemory
from omc.trading.fill import Fill
from omc.trading.mandate import Mandate
from omc.trading.order import Order

WIDE = Limits(Decimal(10) ** 15, Decimal(10) ** 15, Decimal(10) ** 15)
"""Limits that deny nothing."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it: final `orders`, denied ones included, in the order in which they were wanted; after bar t the
    books were worth `equity[t]` at the marks, `cash[t]` of it in cash, both (T,) in AUD; and what the trader was left
    with."""

    orders: tuple[Order, ...]
    equity: FloatArray
    cash: FloatArray
    account: Account
    memory: TraderMemory

    @property
    def fills(self) -> tuple[Fill, ...]:
        return tuple(fill for order in self.orders for fill in order.fills)


def replay(
    mandate: Mandate,
    times: TimeArray,
    market: Market,
    weights: FloatArray,
    *,
    cash_aud: Decimal,
    limits: Limits = WIDE,
    slippage_bps: float = 0.0,
    latency_bars: int = 0,
    skip: bool = True,
) -> Replay:
    """Carry out `mandate` on `market`, where the algorithm wants `weights`, (T, C), at the close of each bar.

    Slippage and latency are as `Costs` has them: the trader sees asks that slipped already and weights that come late,
    and the venue pays less than the bid that it showed. InvalidInput for shapes that differ and for weights that would
    halt the trader. With or without `skip` the same comes of it: without, every bar is handed to the trader, however
    little it does there.
    """
    if weights.shape != market.bid.shape or len(times) != len(weights):
        raise InvalidInput(f"weights have shape {weights.shape}, prices {market.bid.shape}, times {times.shape}")
    seen = replace(market, ask=_slipped(BUY, market.ask, slippage_bps))
    stage = Stage(mandate, times, seen, _late(weights, latency_bars), cash_aud, limits, slippage_bps)
    row = 0
    while row < len(times):
        until = stage.trader.pass_quietly(stage.stretch, row, stage.curves) if skip else row
        if until < len(times):
            stage.play(until)
        row = until + 1
    return Replay(tuple(stage.orders), stage.curves[0], stage.curves[1], stage.trader.account, stage.trader.memory)


def _slipped(side: int, quotes: FloatArray, bps: float) -> FloatArray:
    """`execution.slipped` of each of the quotes, NaN where there is none."""
    if not bps:
        return quotes
    moved = [slipped(side, quote, bps, 1) if quote == quote else quote for quote in quotes.ravel().tolist()]
    return np.array(moved).reshape(quotes.shape)


def _late(weights: FloatArray, bars: int) -> FloatArray:
    """`weights` as they reach the market: `bars` rows later, and nothing wanted until then."""
    if not bars:
        return weights
    late = np.zeros(weights.shape)
    late[bars:] = weights[:-bars]
    return late
