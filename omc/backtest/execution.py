"""One execution of a backtest: how much, at what price, and what it does to the books.

`rough` is `Costs.frictions`: with None, only fees, the least order and the band are left, as on the floor.
"""

import numba
import numpy as np

from omc.market.terms import BPS
from omc.trading.sizing import (
    UNITS,
    in_cents,
    is_dust,
    on_grid,
    quantity_to_buy,
    quantity_to_sell,
    settled_total,
)

COIN = np.dtype(
    [
        ("fee_bps", "i8"),
        ("quantity_step", "i8"),
        ("price_step", "i8"),
        ("held", "f8"),
        ("mark", "f8"),
        ("opening", "f8"),
        ("opened", "i8"),
        ("trail", "f8"),
        ("stop", "f8"),
        ("take", "f8"),
        ("next_stop", "f8"),
        ("next_take", "f8"),
        ("target", "f8"),
        ("limit", "f8"),
        ("trigger", "f8"),
        ("volume_left", "f8"),
        ("kept_out", "i8"),
        ("ready", "i8"),
        ("more", "i8"),
        ("leaving", "i8"),
    ]
)
"""What a backtest knows of a coin: its fee and the units that it is traded in; how much is held (less than nothing when
it is owed), its last mark, the price and row of the opening, the trailing stop, the stop and target set for it, and
those that its next opening gets; the weight that it is on the way to (NaN for none), the limit and trigger of that
order; the volume that orders may still take in this bar; and whether an exit keeps it out, its order may trade, and
volume held some of it back; and the `exits.Reason` for which the rest of it leaves. Prices are NaN where there are
none."""


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def slipped(side, quote, bps, step):  # type: ignore[no-untyped-def]
    """`quote` moved by `bps` against whoever trades on `side` (+1 buys), then onto a multiple of `step` units, likewise
    against them; never less than a unit."""
    units = np.int64(np.rint(quote * (1.0 + side * bps / BPS) * UNITS))
    if step > 1:
        units = -(-units // step) * step if side > 0 else units // step * step
    return max(np.float64(units), 1.0) / UNITS


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def _within(quantity, step):  # type: ignore[no-untyped-def]
    """`quantity` in whole steps, rounded down."""
    units = np.int64(np.rint(quantity * UNITS))
    return (units - units % step) / UNITS


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def _limited(weight, worth, rough):  # type: ignore[no-untyped-def]
    """`weight`, not negative, as far as one coin may go."""
    weight = min(weight, rough[3])
    if worth > 0.0:
        weight = min(weight, rough[4] / worth)
    return weight


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def _by_volume(bps, quantity, volume):  # type: ignore[no-untyped-def]
    """The slippage of `quantity` in a bar of `volume`; an order larger than the bar slips no further."""
    if bps <= 0.0:
        return 0.0
    return bps * min(quantity / volume, 1.0) if volume > 0.0 else bps


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def sized_down(coin, goal, worth, quote, slips, volume, terms, rough):  # type: ignore[no-untyped-def]
    """What brings a holding closer to zero, and to the weight `goal`: (quantity, price, whether volume held some of it
    back). `quote` is what it is valued and traded at, before it `slips`."""
    min_order, band = terms
    kept = max(goal if coin.held > 0.0 else -goal, 0.0)
    if rough is None:
        return quantity_to_sell(kept, worth, abs(coin.held), quote, band, min_order), quote, False
    quantity = quantity_to_sell(_limited(kept, worth, rough), worth, abs(coin.held), quote, band, min_order)
    fits = min(quantity, coin.volume_left)
    price = quote
    if slips and fits > 0.0:
        side = -1 if coin.held > 0.0 else 1
        price = slipped(side, quote, rough[0] + _by_volume(rough[1], fits, volume), coin.price_step)
    done = _within(fits, coin.quantity_step)
    # The venue takes an order for what it is worth at the quote: what it slips to shows only after.
    return (done if done * quote >= min_order else 0.0), price, fits < quantity


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def sized_up(coin, goal, worth, value, quote, slips, volume, cash, room, terms, rough):  # type: ignore[no-untyped-def]
    """What brings a holding, none or of the sign of `goal`, further from zero and to the weight `goal`, as `sized_down`
    says it. `value` is what each coin held counts; a purchase costs no more than `cash`, and nothing that is opened is
    worth more than `room`."""
    min_order, band = terms
    if rough is None:
        return quantity_to_buy(goal, worth, coin.held, value, quote, coin.fee_bps, cash, band, min_order), quote, False
    side = 1 if goal > 0.0 else -1
    weight, held = _limited(abs(goal), worth, rough), abs(coin.held)
    funds = cash if side > 0 else np.inf
    price = slipped(side, quote, rough[0], coin.price_step) if slips else quote
    quantity = quantity_to_buy(weight, worth, held, value, price, coin.fee_bps, funds, band, min_order)
    quantity = min(quantity, max(np.floor(room / price * UNITS) / UNITS, 0.0))
    fits = min(quantity, coin.volume_left)
    if slips and rough[1] > 0.0 and fits > 0.0:
        price = slipped(side, quote, rough[0] + _by_volume(rough[1], fits, volume), coin.price_step)
        dearer = quantity_to_buy(weight, worth, held, value, price, coin.fee_bps, funds, band, min_order)
        fits = min(fits, dearer, max(np.floor(room / price * UNITS) / UNITS, 0.0))
    done = _within(fits, coin.quantity_step)
    return (done if done * price >= min_order else 0.0), price, coin.volume_left < quantity


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def book(coin, trade, t, c, side, quantity, price, reason, least, cash):  # type: ignore[no-untyped-def]
    """Write an execution down, in the books and as a `trade`; returns the cash after it. What is worth less than
    `least`, the venue's smallest order, counts as nothing when more of it is bought."""
    total = settled_total(side, quantity, price, coin.fee_bps)
    before = coin.held
    coin.held = on_grid(before + side * quantity)
    if coin.held == 0.0:
        coin.opening, coin.trail, coin.stop, coin.take = np.nan, np.nan, np.nan, np.nan
        coin.leaving = 0
    elif before * side >= 0.0 and is_dust(before, price, least):
        coin.opening, coin.trail, coin.opened = price, np.nan, t
        coin.stop, coin.take = coin.next_stop, coin.next_take
    coin.volume_left = on_grid(coin.volume_left - quantity)
    trade.row = t
    trade.coin = c
    trade.side = side
    trade.quantity = quantity
    trade.total_aud = total
    trade.price_aud = price
    trade.reason = reason
    return in_cents(cash - side * total)


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def worth_of(cash, coins):  # type: ignore[no-untyped-def]
    """`sizing.equity` of the books."""
    total = cash
    for c in range(coins.shape[0]):
        if coins[c].held != 0.0 and not np.isnan(coins[c].mark):
            total += coins[c].held * coins[c].mark
    return total


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def room_for(c, coins, worth, rough):  # type: ignore[no-untyped-def]
    """AUD by which coin `c` may grow, given all that is held: 0 when one coin more would be too many."""
    if rough is None:
        return np.inf
    gross, count = 0.0, 0
    for k in range(coins.shape[0]):
        if coins[k].held != 0.0:
            count += 1
            if not np.isnan(coins[k].mark):
                gross += abs(coins[k].held) * coins[k].mark
    if coins[c].held == 0.0 and count >= rough[6]:
        return 0.0
    if rough[5] >= 1.0 and not rough[7]:
        # Nothing is owed, so the cash alone sees to it.
        return np.inf
    return rough[5] * worth - gross
