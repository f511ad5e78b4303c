"""What can happen to a coin in a bar: its order is carried out, or it is closed.

Each function does it for one coin, `coin` (a record of `execution.COIN`), `bar` being its bid and ask at the open,
high, low, close (bids) and volume; it writes a trade, if it makes one, and returns how many there are then, and the
cash. `docs/concepts/fills.md` says what happens when.
"""

import numba
import numpy as np

from omc.backtest.execution import book, room_for, sized_down, sized_up, slipped
from omc.trading.exit_fills import leaves_at_open, leaves_inside
from omc.trading.exits import Reason
from omc.trading.sizing import is_dust

_SIGNAL, _TAKE_PROFIT = int(Reason.SIGNAL), int(Reason.TAKE_PROFIT)


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def decide(coin, weight, order):  # type: ignore[no-untyped-def]
    """Make an order of what was decided; `order` is its limit, trigger, stop and take, or None."""
    if np.isnan(weight):
        coin.kept_out = 0
        if order is not None and (coin.held != 0.0 or not np.isnan(coin.target)):
            if not np.isnan(order[2]):
                coin.stop = coin.next_stop = order[2]
            if not np.isnan(order[3]):
                coin.take = coin.next_take = order[3]
        return
    if weight == 0.0:
        coin.kept_out = 0
    coin.target = 0.0 if coin.kept_out else weight
    if coin.target != 0.0:
        coin.leaving = _SIGNAL
    if order is not None:
        coin.limit, coin.trigger, coin.next_stop, coin.next_take = order
        if coin.held * weight > 0.0:
            coin.stop, coin.take = coin.next_stop, coin.next_take


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def look_at_order(coin, bid, ask, worth):  # type: ignore[no-untyped-def]
    """Note whether the order may trade at these prices, triggering it if they are what it waits for."""
    coin.ready = 0
    if np.isnan(coin.target) or np.isnan(bid):
        return
    if np.isnan(coin.limit) and np.isnan(coin.trigger):
        coin.ready = 1
        return
    side = np.sign(coin.target * worth - coin.held * bid)
    quote = ask if side > 0.0 else bid
    if side * quote >= side * coin.trigger:
        coin.trigger = np.nan
    if side != 0.0 and np.isnan(coin.trigger) and not side * quote > side * coin.limit:
        coin.ready = 1


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def reduce(coin, trade, t, c, bid, ask, volume, worth, terms, rough, made, cash):  # type: ignore[no-untyped-def]
    """Sell what is held, or buy what is owed, towards the target."""
    if coin.held == 0.0 or np.isnan(coin.target) or np.isnan(bid):
        return made, cash
    side = -1 if coin.held > 0.0 else 1
    quote = bid if side < 0 else ask
    quantity, price, more = sized_down(coin, coin.target, worth, quote, np.isnan(coin.limit), volume, terms, rough)
    coin.more = more
    if quantity > 0.0:
        cash = book(coin, trade, t, c, side, quantity, price, coin.leaving, terms[0], cash)
        made += 1
    return made, cash


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def increase(coin, trade, t, c, bid, ask, volume, worth, room, terms, rough, made, cash):  # type: ignore[no-untyped-def]
    """Buy, or sell short, towards the target, as far as there is `room`; an order that was carried out is none any
    more."""
    if np.isnan(coin.target) or np.isnan(bid):
        return made, cash
    more, goal = coin.more != 0, coin.target
    coin.more = 0
    if goal != 0.0 and coin.held * goal >= 0.0:
        side = 1 if goal > 0.0 else -1
        quote = ask if side > 0 else bid
        quantity, price, held_back = sized_up(
            coin, goal, worth, bid, quote, np.isnan(coin.limit), volume, cash, room, terms, rough
        )
        more |= held_back
        if quantity > 0.0:
            cash = book(coin, trade, t, c, side, quantity, price, _SIGNAL, terms[0], cash)
            made += 1
    if not more:
        coin.target, coin.limit, coin.trigger = np.nan, np.nan, np.nan
    return made, cash


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def leave(coin, trade, t, c, price, reason, slips, volume, worth, terms, rough, reentry, made, cash):  # type: ignore[no-untyped-def]
    """Close a coin, as far as that can be done, and keep it closed until the algorithm lets go of it."""
    side = -1 if coin.held > 0.0 else 1
    quantity, price, _ = sized_down(coin, 0.0, worth, price, slips, volume, terms, rough)
    if quantity > 0.0:
        cash = book(coin, trade, t, c, side, quantity, price, reason, terms[0], cash)
        made += 1
        # What the bar's volume did not take is closed at the next opens, for the same reason.
        coin.more = coin.held != 0.0
        coin.leaving = reason if coin.more else _SIGNAL
        coin.target = 0.0 if coin.more else np.nan
        coin.limit, coin.trigger = np.nan, np.nan
        coin.kept_out = not reentry
    return made, cash


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def leave_at_open(coin, trade, t, c, bar, worth, levels, terms, rough, reentry, made, cash):  # type: ignore[no-untyped-def]
    """Close what was held before this bar and must be closed at its open."""
    if coin.held == 0.0 or coin.opened >= t or np.isnan(bar[0]):
        return made, cash
    sign = 1.0 if coin.held > 0.0 else -1.0
    price, reason = leaves_at_open(
        levels,
        sign,
        coin.opening,
        t - coin.opened,
        coin.trail,
        coin.stop,
        coin.take,
        bar[0] if sign > 0.0 else bar[1],
    )
    if np.isnan(price):
        return made, cash
    slips = reason != _TAKE_PROFIT
    return leave(coin, trade, t, c, price, reason, slips, bar[5], worth, terms, rough, reentry, made, cash)


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def leave_inside(coin, trade, t, c, bar, start, enough, worth, levels, terms, rough, reentry, made, cash):  # type: ignore[no-untyped-def]
    """Close what a bar's low or high closes. `start` is the price, high and low that the position saw, bids all;
    `enough` the age and gain that `exits.gain_at` finds."""
    sign = 1.0 if coin.held > 0.0 else -1.0
    above = 0.0 if sign > 0.0 else bar[1] - bar[0]
    first = on_ask(start[0], above)
    price, reason, coin.trail = leaves_inside(
        levels,
        enough[0],
        enough[1],
        sign,
        coin.opening,
        t - coin.opened,
        coin.trail,
        coin.stop,
        coin.take,
        first,
        on_ask(start[1], above),
        on_ask(start[2], above),
    )
    if np.isnan(price):
        return made, cash
    # A gain that is taken at the first price was not waited for: it is an order at the market.
    slips = reason != _TAKE_PROFIT or price == first
    return leave(coin, trade, t, c, price, reason, slips, bar[5], worth, terms, rough, reentry, made, cash)


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def on_ask(bid, spread):  # type: ignore[no-untyped-def]
    """The ask that lies `spread` above a bid, on the grid."""
    return bid if spread == 0.0 else np.rint((bid + spread) * 1e8) / 1e8


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def price_inside(coin, bar, worth):  # type: ignore[no-untyped-def]
    """The price at which an order that waited for a better price than the open's fills inside the bar, NaN for none; a
    trigger that is reached is gone."""
    side = np.sign(coin.target * worth - coin.held * bar[0])
    above = bar[1] - bar[0] if side > 0.0 else 0.0
    high, low = on_ask(bar[2], above), on_ask(bar[3], above)
    if not np.isnan(coin.trigger):
        trigger = coin.trigger
        if (side > 0.0 and high >= trigger) or (side < 0.0 and low <= trigger):
            coin.trigger = np.nan
            return trigger if np.isnan(coin.limit) or side * trigger <= side * coin.limit else np.nan
        return np.nan
    # What the open was good enough for and could not fill (no cash, no volume) waits for the next bar.
    if (side > 0.0 and low < coin.limit < bar[1]) or (side < 0.0 and high > coin.limit > bar[0]):
        return coin.limit
    return np.nan


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def fill_inside(coins, trades, t, c, bar, enough, worth, levels, terms, rough, reentry, made, cash):  # type: ignore[no-untyped-def]
    """Carry out an order whose price comes up inside the bar; what it opens may be closed in the same bar."""
    coin = coins[c]
    if np.isnan(coin.target):
        return made, cash
    before, triggered = coin.held, not np.isnan(coin.trigger)
    price = price_inside(coin, bar, worth)
    if np.isnan(price):
        return made, cash
    made, cash = reduce(coin, trades[made], t, c, price, price, bar[5], worth, terms, rough, made, cash)
    room, sold = room_for(c, coins, worth, rough), made
    made, cash = increase(coin, trades[made], t, c, price, price, bar[5], worth, room, terms, rough, made, cash)
    if coin.held == 0.0 or made == sold:
        return made, cash
    if before * coin.held > 0.0 and not is_dust(before, trades[sold].price_aud, terms[0]):
        return made, cash
    # As a bid: what was bought at the ask is worth less.
    start, high, low = on_ask(price, bar[0] - bar[1] if coin.held > 0.0 else 0.0), bar[2], bar[3]
    # A triggered order was made on the way to the best price; after a limit order, only the close is known.
    if not triggered and coin.held > 0.0:
        high = max(start, bar[4])
    if not triggered and coin.held < 0.0:
        low = min(start, bar[4])
    return leave_inside(
        coin, trades[made], t, c, bar, (start, high, low), enough, worth, levels, terms, rough, reentry, made, cash
    )


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def close_out(coin, trade, t, c, price, reason, rough, made, cash):  # type: ignore[no-untyped-def]
    """Close whatever is held, however little it is and whatever the bar's volume."""
    if coin.held == 0.0:
        return made, cash
    side = -1 if coin.held > 0.0 else 1
    if rough is not None:
        price = slipped(side, price, rough[0], coin.price_step)
    cash = book(coin, trade, t, c, side, abs(coin.held), price, reason, 0.0, cash)
    return made + 1, cash


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def first_price(coin, bid, ask):  # type: ignore[no-untyped-def]
    """What the bar's open gives, or takes, for what is held: its last mark when it is not quoted."""
    if np.isnan(bid):
        return coin.mark
    return bid if coin.held > 0.0 else ask


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def worst_price(coin, bid, ask, high, low):  # type: ignore[no-untyped-def]
    """As `first_price`, at the worst of the bar."""
    if np.isnan(bid):
        return coin.mark
    return low if coin.held > 0.0 else on_ask(high, ask - bid)
