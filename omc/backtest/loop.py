"""The compiled loop of the kernel: bars in the order of events that `docs/concepts/fills.md` gives.

What a run does without (exits, frictions, orders) is handed in as None, so that numba leaves it out: one source,
compiled for what is asked of it.
"""

import inspect

import numba
import numpy as np

from omc.backtest import execution, phases, quiet
from omc.backtest.execution import room_for, worth_of
from omc.backtest.phases import (
    close_out,
    decide,
    fill_inside,
    first_price,
    increase,
    leave_at_open,
    leave_inside,
    look_at_order,
    on_ask,
    reduce,
    worst_price,
)
from omc.backtest.quiet import bids_without_trade, mark_quiet, next_change, next_exit
from omc.trading import exit_fills, exits, sizing
from omc.trading.exit_fills import gain_at
from omc.trading.exits import Reason
from omc.trading.sizing import UNITS

MOST_TRADES = 10
"""Of one coin in one bar."""
# The last bits of weights that add up to one may say more: as much as sizing.check_weights lets pass.
_ALL = 1.0 + 1e-9
_END, _LIQUIDATION = int(Reason.END), int(Reason.LIQUIDATION)


def _compiled(arithmetic: str):  # type: ignore[no-untyped-def]  # noqa: C901
    """The loop, compiled around the source of the `arithmetic` that it calls.

    numba finds a compiled function again by the source of its own file and by what its closure holds. Without that
    source in the closure, an upgrade of the arithmetic would change the floor and leave the backtest behind.
    """

    @numba.njit(cache=True, nogil=True, error_model="numpy")
    def run(prices, decisions, terms, rules, rough, orders, coins, curves, trades, ways, start):  # type: ignore[no-untyped-def]  # noqa: C901
        """Go on from row, trades made and cash in `start` until the rows end, `trades` is full or weights are unusable.

        Coins and curves are written in place; returned are the row to go on with, trades made, cash, and whether that
        row's weights were usable. (Arrays grown inside the loop would cost twenty times the loop.)
        """
        arithmetic  # noqa: B018
        bid, ask, close, high, low, volume = prices
        partial, reentry, at_close, close_at_end, skip = ways
        t, made, cash = start
        said = decisions.view(np.int64)
        rows = decisions.shape[0]
        room = trades.shape[0] - MOST_TRADES * coins.shape[0]
        skip = skip and coins.shape[0] == 1 and orders is None
        least, share = 0.0, np.inf
        if rough is not None:
            skip = skip and np.isinf(rough[4])
            share = rough[2]
            least = -1.0 if rough[7] else 0.0
        if rules is not None:
            levels, ages, gains = rules
        while t < rows:
            if made > room:
                return t, made, cash, True
            last = close_at_end and t == rows - 1
            for c in range(coins.shape[0]):
                coin = coins[c]
                if not np.isnan(bid[t, c]):
                    coin.mark = bid[t, c]
                if rough is not None:
                    coin.volume_left = np.inf if np.isinf(share) else _grid_floor(share * volume[t, c])
            worth = worth_of(cash, coins)
            for c in range(coins.shape[0]):
                if orders is not None:
                    look_at_order(coins[c], bid[t, c], ask[t, c], worth)
                if orders is None or coins[c].ready:
                    made, cash = reduce(
                        coins[c],
                        trades[made],
                        t,
                        c,
                        bid[t, c],
                        ask[t, c],
                        volume[t, c],
                        worth,
                        terms,
                        rough,
                        made,
                        cash,
                    )
            if rules is not None:
                for c in range(coins.shape[0]):
                    bar = (bid[t, c], ask[t, c], high[t, c], low[t, c], close[t, c], volume[t, c])
                    made, cash = leave_at_open(
                        coins[c], trades[made], t, c, bar, worth, levels, terms, rough, reentry, made, cash
                    )
            if not last:
                for c in range(coins.shape[0]):
                    if orders is None or coins[c].ready:
                        made, cash = increase(
                            coins[c],
                            trades[made],
                            t,
                            c,
                            bid[t, c],
                            ask[t, c],
                            volume[t, c],
                            worth,
                            room_for(c, coins, worth, rough),
                            terms,
                            rough,
                            made,
                            cash,
                        )
            if rules is not None:
                for c in range(coins.shape[0]):
                    bar = (bid[t, c], ask[t, c], high[t, c], low[t, c], close[t, c], volume[t, c])
                    if np.isnan(bar[0]):
                        continue
                    before = made
                    if coins[c].held != 0.0:
                        seen = (bar[0], bar[2], bar[3])
                        enough = gain_at(ages, gains, t - coins[c].opened)
                        made, cash = leave_inside(
                            coins[c],
                            trades[made],
                            t,
                            c,
                            bar,
                            seen,
                            enough,
                            worth,
                            levels,
                            terms,
                            rough,
                            reentry,
                            made,
                            cash,
                        )
                    if orders is not None and made == before and not last:
                        enough = gain_at(ages, gains, 0)
                        made, cash = fill_inside(
                            coins, trades, t, c, bar, enough, worth, levels, terms, rough, reentry, made, cash
                        )
            if rough is not None and rough[7]:
                left = cash
                for c in range(coins.shape[0]):
                    if coins[c].held != 0.0:
                        left += coins[c].held * worst_price(coins[c], bid[t, c], ask[t, c], high[t, c], low[t, c])
                if left <= 0.0:
                    for c in range(coins.shape[0]):
                        price = worst_price(coins[c], bid[t, c], ask[t, c], high[t, c], low[t, c])
                        made, cash = close_out(coins[c], trades[made], t, c, price, _LIQUIDATION, rough, made, cash)
                    curves[:, t:] = cash
                    return rows, made, cash, True
            if last:
                for c in range(coins.shape[0]):
                    price = first_price(coins[c], bid[t, c], ask[t, c])
                    made, cash = close_out(coins[c], trades[made], t, c, price, _END, rough, made, cash)
            wanted = 0.0
            for c in range(coins.shape[0]):
                weight = decisions[t, c]
                if not np.isnan(close[t, c]):
                    coins[c].mark = close[t, c]
                if not np.isnan(weight):
                    wanted += abs(weight)
                    if not least <= weight <= 1.0:
                        return t, made, cash, False
                elif not partial:
                    return t, made, cash, False
                if orders is None:
                    decide(coins[c], weight, None)
                else:
                    limits, triggers, stops, takes = orders
                    decide(coins[c], weight, (limits[t, c], triggers[t, c], stops[t, c], takes[t, c]))
            if wanted > _ALL:
                return t, made, cash, False
            if orders is not None and at_close and not last:
                worth = worth_of(cash, coins)
                for c in range(coins.shape[0]):
                    dear = on_ask(close[t, c], ask[t, c] - bid[t, c])
                    look_at_order(coins[c], close[t, c], dear, worth)
                    if coins[c].ready:
                        made, cash = reduce(
                            coins[c],
                            trades[made],
                            t,
                            c,
                            close[t, c],
                            dear,
                            volume[t, c],
                            worth,
                            terms,
                            rough,
                            made,
                            cash,
                        )
                for c in range(coins.shape[0]):
                    dear = on_ask(close[t, c], ask[t, c] - bid[t, c])
                    if coins[c].ready:
                        made, cash = increase(
                            coins[c],
                            trades[made],
                            t,
                            c,
                            close[t, c],
                            dear,
                            volume[t, c],
                            worth,
                            room_for(c, coins, worth, rough),
                            terms,
                            rough,
                            made,
                            cash,
                        )
            curves[0, t] = worth_of(cash, coins)
            curves[1, t] = cash
            t += 1
            if not skip or t >= rows:
                continue
            coin = coins[0]
            if np.isnan(decisions[t - 1, 0]) and not np.isnan(coin.target):
                continue
            goal = coin.target
            if rules is not None and coin.held < 0.0:
                continue
            if rough is not None:
                goal = min(goal, rough[3])
            lowest, highest = bids_without_trade(coin.held, cash, goal, terms[1], terms[0])
            end = rows - close_at_end
            until = next_change(bid, said, t, end, lowest, highest)
            if until < end and lowest <= bid[until, 0] <= highest:
                weight = decisions[until, 0]
                if least <= weight <= 1.0 or (partial and np.isnan(weight)):
                    # Nothing is traded there either; it only decides something else.
                    until += 1
            if rules is not None and coin.held > 0.0:
                until, coin.trail = next_exit(
                    bid, high, low, t, until, levels, ages, gains, coin.opening, coin.opened, coin.trail
                )
            if until > t:
                mark_quiet(curves, bid, close, t, until, cash, coin.held)
                coin.mark = bid[until - 1, 0] if np.isnan(close[until - 1, 0]) else close[until - 1, 0]
                decide(coin, decisions[until - 1, 0], None)
                t = until
        return rows, made, cash, True

    return run


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def _grid_floor(quantity):  # type: ignore[no-untyped-def]
    return np.floor(quantity * UNITS) / UNITS if quantity > 0.0 else 0.0


run = _compiled("".join(inspect.getsource(each) for each in (sizing, exits, exit_fills, execution, phases, quiet)))
