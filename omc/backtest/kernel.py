"""The fast twin of the floor: the same sizing on the same floats, row by row, for all coins that share the cash.

In one row, after the marks: orders towards the targets decided in an earlier row execute, sells before buys, one at a
time, in the order of the coins; then the row's own weights become the next targets, with a stopped coin's at zero. So
the first row only decides, a decision fills at the first row after it, and nothing is closed at the end.
"""

import inspect
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from omc.backtest.cost import Costs
from omc.backtest.market import Market
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, read_only
from omc.trading import sizing
from omc.trading.exits import Exits
from omc.trading.sizing import (
    check_weights,
    equity,
    in_cents,
    on_grid,
    quantity_to_buy,
    quantity_to_sell,
    settled_total,
    stops_out,
)

BUY, SELL = 1, -1
TRADE = np.dtype(
    [("row", "i8"), ("coin", "i8"), ("side", "i8"), ("quantity", "f8"), ("total_aud", "f8"), ("price_aud", "f8")]
)
"""One execution: at which row and column, BUY or SELL, how much, the cash that moved, and the quote it was made at."""

# The last bits of weights that add up to one may say more: as much as sizing.check_weights lets pass.
_ALL = 1.0 + 1e-9
_FIRST_ROOM = 256


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it. `trades` has dtype TRADE in order of execution; after row t the books were worth `equity[t]`
    at the marks, `cash[t]` of it in cash, both (T,) in AUD; `holdings` is (C,) coins at the end."""

    trades: NDArray[np.void]
    equity: FloatArray
    cash: FloatArray
    holdings: FloatArray


def simulate(market: Market, weights: FloatArray, costs: Costs, *, cash_aud: float, exits: Exits) -> Simulation:
    """Trade `weights`, (T, C), against `market`, starting with `cash_aud` in whole cents.

    `exits` close a position without being asked. InvalidInput for weights that are not of the market's shape, not
    finite, negative, or more than all of the equity.
    """
    rows, coins = market.bid.shape
    if weights.shape != (rows, coins):
        raise InvalidInput(f"weights have shape {weights.shape}, prices {market.bid.shape}")
    if costs.fee_bps.shape != (coins,):
        raise InvalidInput(f"fees for {costs.fee_bps.shape} coins, prices of {coins}")
    if not 0 < cash_aud < np.inf:
        raise InvalidInput(f"a backtest needs cash to start with, not {cash_aud}")
    prices = (read_only(market.bid), read_only(market.ask), read_only(market.close))
    weights, fee_bps = read_only(weights), read_only(costs.fee_bps)
    terms = (float(costs.min_order_aud), float(costs.band), float(exits.stop_loss))
    # Holdings, marks, opening prices, targets, and whether a stop holds the coin out of the market.
    state = (
        np.zeros(coins),
        np.full(coins, np.nan),
        np.full(coins, np.nan),
        np.zeros(coins),
        np.zeros(coins, np.bool_),
    )
    curves = np.empty((2, rows))
    trades = np.empty(_FIRST_ROOM + 2 * coins, TRADE)
    row, made, cash = 0, 0, float(cash_aud)
    while row < rows:
        row, made, cash, usable = _run(prices, weights, fee_bps, terms, state, curves, trades, (row, made, cash))
        if not usable:
            _refuse(weights[row], row, coins)
        trades = np.concatenate([trades, np.empty_like(trades)]) if row < rows else trades
    return Simulation(trades=trades[:made], equity=curves[0], cash=curves[1], holdings=state[0])


def _refuse(weights: FloatArray, row: int, coins: int) -> None:
    try:
        check_weights(weights, coins)
    except ValueError as reason:
        raise InvalidInput(f"row {row}: {reason}") from reason
    raise InvalidInput(f"row {row}: weights {weights} cannot be traded")


@numba.njit(cache=True, inline="always")
def _record(trade, row, coin, side, quantity, total_aud, price_aud):  # type: ignore[no-untyped-def]
    trade.row = row
    trade.coin = coin
    trade.side = side
    trade.quantity = quantity
    trade.total_aud = total_aud
    trade.price_aud = price_aud


def _compiled(arithmetic: str):  # type: ignore[no-untyped-def]  # noqa: C901
    """The loop, compiled around the source of the `arithmetic` that it calls.

    numba finds a compiled function again by the source of its own file and by what its closure holds. Without that
    source in the closure, an upgrade of the arithmetic would change the floor and leave the backtest behind.
    """

    @numba.njit(cache=True, nogil=True)
    def run(prices, weights, fee_bps, terms, state, curves, trades, start):  # type: ignore[no-untyped-def]  # noqa: C901
        """Go on from row, trades made and cash in `start` until the rows end, `trades` is full or weights are unusable.

        State and curves are written in place; returned are the row to go on with, trades made, cash, and whether that
        row's weights were usable. (Arrays grown inside the loop would cost twenty times the loop.)
        """
        arithmetic  # noqa: B018
        bid, ask, close = prices
        min_order, band, stop_loss = terms
        held, mark, opened, target, stopped = state
        first, made, cash = start
        rows, coins = weights.shape
        room = trades.shape[0] - 2 * coins
        for t in range(first, rows):
            if made > room:
                return t, made, cash, True
            for c in range(coins):
                if not np.isnan(bid[t, c]):
                    mark[c] = bid[t, c]
            if t > 0:
                worth = equity(cash, held, mark)
                for c in range(coins):
                    quantity = quantity_to_sell(target[c], worth, held[c], bid[t, c], band, min_order)
                    if quantity > 0.0:
                        total = settled_total(SELL, quantity, bid[t, c], fee_bps[c])
                        cash = in_cents(cash + total)
                        held[c] = on_grid(held[c] - quantity)
                        if held[c] == 0.0:
                            opened[c] = np.nan
                        _record(trades[made], t, c, SELL, quantity, total, bid[t, c])
                        made += 1
                for c in range(coins):
                    quantity = quantity_to_buy(
                        target[c], worth, held[c], bid[t, c], ask[t, c], fee_bps[c], cash, band, min_order
                    )
                    if quantity > 0.0:
                        total = settled_total(BUY, quantity, ask[t, c], fee_bps[c])
                        cash = in_cents(cash - total)
                        if held[c] == 0.0:
                            opened[c] = ask[t, c]
                        held[c] = on_grid(held[c] + quantity)
                        _record(trades[made], t, c, BUY, quantity, total, ask[t, c])
                        made += 1
            wanted = 0.0
            for c in range(coins):
                weight = weights[t, c]
                if not 0.0 <= weight <= 1.0:
                    return t, made, cash, False
                wanted += weight
                if not np.isnan(close[t, c]):
                    mark[c] = close[t, c]
                if weight == 0.0:
                    stopped[c] = False
                elif held[c] > 0.0 and stops_out(close[t, c], opened[c], stop_loss):
                    stopped[c] = True
                target[c] = 0.0 if stopped[c] else weight
            if wanted > _ALL:
                return t, made, cash, False
            curves[0, t] = equity(cash, held, mark)
            curves[1, t] = cash
        return rows, made, cash, True

    return run


_run = _compiled(inspect.getsource(sizing))
