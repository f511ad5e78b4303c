"""The fast twin of the floor: the same sizing on the same floats, row by row, for all coins that share the cash.

`docs/concepts/fills.md` tells the order of events in a bar. The first row only decides, and a decision fills at the
first row after it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from omc.backtest.cost import Costs, Frictions
from omc.backtest.execution import COIN
from omc.backtest.loop import MOST_TRADES, run
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, read_only
from omc.trading.exits import Exits
from omc.trading.sizing import check_weights

BUY, SELL = 1, -1
TRADE = np.dtype(
    [
        ("row", "i8"),
        ("coin", "i8"),
        ("side", "i8"),
        ("quantity", "f8"),
        ("total_aud", "f8"),
        ("price_aud", "f8"),
        ("reason", "i1"),
    ]
)
"""One execution: at which row and column, BUY or SELL, how much, the cash that moved, the price it was made at, and
the `exits.Reason` for it."""

_FIRST_ROOM = 256


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it. `trades` has dtype TRADE in order of execution; after row t the books were worth `equity[t]`
    at the marks, `cash[t]` of it in cash, both (T,) in AUD; `holdings` is (C,) coins at the end."""

    trades: NDArray[np.void]
    equity: FloatArray
    cash: FloatArray
    holdings: FloatArray


@dataclass(frozen=True, slots=True)
class _Place:
    """What simulations on one market at the same costs have in common, as the loop takes it."""

    market: Market
    costs: Costs
    prices: tuple[FloatArray, ...]
    terms: tuple[float, float]
    frictions: Frictions | None
    unheld: NDArray[np.void]

    @classmethod
    def of(cls, market: Market, costs: Costs) -> Self:
        coins = market.bid.shape[1]
        if costs.fee_bps.shape != (coins,):
            raise InvalidInput(f"fees for {costs.fee_bps.shape} coins, prices of {coins}")
        if costs.needs_volume and market.volume is None:
            raise InvalidInput("slippage and fills by volume need a market with volume")
        terms = float(costs.min_order_aud), float(costs.band)
        return cls(market, costs, _prices(market), terms, costs.frictions, _unheld(costs, coins))


class Buffers:
    """Memory for simulations one after the other: each writes over the curves and trades of the one before. On the same
    market at the same costs, which are values, they share what was made of these."""

    def __init__(self) -> None:
        self.curves: FloatArray = np.empty((2, 0))
        self.trades: NDArray[np.void] = np.empty(0, TRADE)
        self._place: _Place | None = None

    def fit(self, market: Market, costs: Costs) -> _Place:
        """Make room for a simulation; InvalidInput for costs that cannot be had on that market."""
        place = self._place
        if place is None or place.market is not market or place.costs is not costs:
            place = self._place = _Place.of(market, costs)
        rows, coins = market.bid.shape
        if self.curves.shape[1] != rows:
            self.curves = np.empty((2, rows))
        if len(self.trades) <= MOST_TRADES * coins:
            self.trades = np.empty(_FIRST_ROOM + MOST_TRADES * coins, TRADE)
        return place

    def more_trades(self) -> None:
        more = np.empty(2 * len(self.trades), TRADE)
        more[: len(self.trades)] = self.trades
        self.trades = more


def simulate(
    market: Market,
    decisions: FloatArray | Orders,
    costs: Costs,
    *,
    cash_aud: float,
    exits: Exits,
    close_at_end: bool = False,
    buffers: Buffers | None = None,
    skip_quiet: bool = True,
) -> Simulation:
    """Trade `decisions`, (T, C) weights or Orders, against `market`, starting with `cash_aud` in whole cents.

    `exits` close a position without being asked; `close_at_end` closes what is left at the last row's open, in which
    nothing is opened. With `buffers`, what is returned lasts until their next use. `skip_quiet` is for tests: results
    are the same bits without. InvalidInput for weights that are not of the market's shape, not finite (Orders may be
    NaN), more than all of the equity, or negative where nothing is sold short.
    """
    rows, coins = market.bid.shape
    orders = decisions if isinstance(decisions, Orders) else None
    targets = decisions.targets if isinstance(decisions, Orders) else decisions
    if targets.shape != (rows, coins):
        raise InvalidInput(f"weights have shape {targets.shape}, prices {market.bid.shape}")
    if not 0 < cash_aud < np.inf:
        raise InvalidInput(f"a backtest needs cash to start with, not {cash_aud}")
    books = buffers or Buffers()
    place = books.fit(market, costs)
    late = costs.latency_bars
    if late and orders is None and not np.isfinite(targets).all():
        _refuse(targets, int(np.argwhere(~np.isfinite(targets))[0, 0]), coins, costs, partial=False)
    targets = read_only(_later(targets, late))
    resting = orders is not None and (orders.at_close or any(each is not None for each in _prices_of(orders)))
    partial = orders is not None or late > 0
    rules = exits.rules if exits.any or resting else None
    columns = tuple(read_only(_later(each, late)) for each in orders.columns()) if orders and resting else None
    ways = (partial, exits.reentry, orders is not None and orders.at_close, close_at_end, skip_quiet)
    known = place.unheld.copy()
    row, made, cash = 0, 0, float(cash_aud)
    while row < rows:
        row, made, cash, usable = run(
            place.prices,
            targets,
            place.terms,
            rules,
            place.frictions,
            columns,
            known,
            books.curves,
            books.trades,
            ways,
            (row, made, cash),
        )
        if not usable:
            _refuse(targets[row], row, coins, costs, partial=partial)
        if row < rows:
            books.more_trades()
    return Simulation(books.trades[:made], books.curves[0], books.curves[1], known["held"].copy())


def _prices_of(orders: Orders) -> tuple[FloatArray | None, ...]:
    return orders.limits, orders.triggers, orders.stops, orders.takes


def _later(decisions: FloatArray, bars: int) -> FloatArray:
    """(T, C) decisions as they reach the market: `bars` rows later, and nothing decided until then."""
    if not bars:
        return decisions
    late = np.full(decisions.shape, np.nan)
    late[bars:] = decisions[:-bars]
    return late


def _prices(market: Market) -> tuple[FloatArray, ...]:
    bid, ask, close = read_only(market.bid), read_only(market.ask), read_only(market.close)
    high = bid if market.high is None else read_only(market.high)
    low = bid if market.low is None else read_only(market.low)
    return bid, ask, close, high, low, bid if market.volume is None else read_only(market.volume)


def _unheld(costs: Costs, coins: int) -> NDArray[np.void]:
    """(C,) records of COIN before anything was decided."""
    known = np.zeros(coins, COIN)
    for name in ("mark", "opening", "trail", "stop", "take", "next_stop", "next_take", "target", "limit", "trigger"):
        known[name] = np.nan
    known["fee_bps"] = costs.fee_bps
    known["quantity_step"], known["price_step"] = costs.units
    known["volume_left"] = np.inf
    return known


def _refuse(weights: FloatArray, row: int, coins: int, costs: Costs, *, partial: bool) -> None:
    try:
        check_weights(weights, coins, instructions=partial, short=costs.short)
    except ValueError as reason:
        raise InvalidInput(f"row {row}: {reason}") from reason
    raise InvalidInput(f"row {row}: weights {weights} cannot be traded")
