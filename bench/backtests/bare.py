"""The barest loops that make the same trades and the same curve: plain floats, one coin, nothing checked."""

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def lean(opens, closes, fast, slow, cash, fee, rows, sides, equity):  # type: ignore[no-untyped-def]
    """A fee and the next open, all in, means given. Returns how many trades were made."""
    held, made, wanted = 0.0, 0, False
    for t in range(opens.shape[0]):
        if wanted != (held > 0.0):
            if wanted:
                held = cash / (opens[t] * (1.0 + fee))
                cash = 0.0
            else:
                cash = held * opens[t] * (1.0 - fee)
                held = 0.0
            rows[made], sides[made] = t, 1 if wanted else -1
            made += 1
        equity[t] = cash + held * closes[t]
        wanted = fast[t] > slow[t]
    return made


@numba.njit(nogil=True, cache=True)
def one_pass(opens, closes, few, many, cash, fee, rows, sides, equity):  # type: ignore[no-untyped-def]
    """The same with the means of `few` and `many` closes, in one pass."""
    held, made, wanted, of_few, of_many = 0.0, 0, False, 0.0, 0.0
    for t in range(opens.shape[0]):
        if wanted != (held > 0.0):
            if wanted:
                held = cash / (opens[t] * (1.0 + fee))
                cash = 0.0
            else:
                cash = held * opens[t] * (1.0 - fee)
                held = 0.0
            rows[made], sides[made] = t, 1 if wanted else -1
            made += 1
        equity[t] = cash + held * closes[t]
        of_few += closes[t] - (closes[t - few] if t >= few else 0.0)
        of_many += closes[t] - (closes[t - many] if t >= many else 0.0)
        wanted = t >= many - 1 and of_few / few > of_many / many
    return made


@numba.njit(nogil=True, cache=True)
def _slipped(price, bps, tick, up):  # type: ignore[no-untyped-def]
    moved = price * (1.0 + bps / 10_000.0) if up else price * (1.0 - bps / 10_000.0)
    return np.ceil(moved / tick - 1e-6) * tick if up else np.floor(moved / tick + 1e-6) * tick


@numba.njit(nogil=True, cache=True)
def full(prices, fast, slow, cash, fee, costs, exits, ages, gains, rows, sides, equity):  # type: ignore[no-untyped-def]  # noqa: C901
    """Every cost and stop: slippage in bps and by volume, a share of the volume at most, steps of quantity and price, a
    least order; fixed and trailing stop with offset, take-profit by age, time stop, no way back in before the means say
    so."""
    opens, highs, lows, closes, volumes = prices
    bps, volume_bps, share, lot, tick, least = costs
    stop_loss, trailing, tight, offset, time_stop = exits
    held, made, wanted, out = 0.0, 0, False, False
    opening, trail, opened = 0.0, 0.0, 0
    for t in range(opens.shape[0]):
        price, reason = 0.0, 0
        first, high, low = opens[t], highs[t], lows[t]
        aimed = wanted and not out
        if held > 0.0 and not aimed:
            price, reason = first, 1
        elif held > 0.0:
            stop = max(opening * (1.0 - stop_loss), trail)
            if t - opened >= time_stop or first <= stop:
                price, reason = first, 2
        elif aimed:
            quantity = cash / (_slipped(first, bps, tick, True) * (1.0 + fee))
            taken = min(quantity, share * volumes[t])
            bought_at = _slipped(first, bps + volume_bps * min(taken / volumes[t], 1.0), tick, True)
            taken = np.floor(min(taken, cash / (bought_at * (1.0 + fee))) / lot) * lot
            if taken * bought_at >= least:
                cash -= taken * bought_at * (1.0 + fee)
                held, opening, trail, opened = taken, bought_at, 0.0, t
                rows[made], sides[made] = t, 1
                made += 1
        if held > 0.0 and reason == 0:
            age = t - opened
            stop = opening * (1.0 - stop_loss)
            gain, since = np.inf, -1.0
            for k in range(ages.shape[0]):
                if ages[k] <= age:
                    gain, since = gains[k], ages[k]
            enough = opening * (1.0 + gain)
            if trail <= stop and low <= stop:
                price, reason = max(min(stop, first), low), 2
            elif high > enough:
                price = first if since == age and age > 0 and first > enough else max(enough, low)
                reason = 3
            elif trail > stop and low <= trail:
                price, reason = max(min(trail, first), low), 2
            else:
                distance = tight if high > opening * (1.0 + offset) else trailing
                trail = max(trail, high * (1.0 - distance))
                if trail > stop and low <= trail:
                    price, reason = trail, 2
                    if age == 0:
                        price = max(min(opening * (1.0 - distance), trail), low)
        if reason:
            # A gain that had to be waited for was taken by a resting order.
            resting = reason == 3 and price != first
            slips = bps + volume_bps * min(held / volumes[t], 1.0)
            sold_at = price if resting else _slipped(price, slips, tick, False)
            cash += held * sold_at * (1.0 - fee)
            held, out = 0.0, reason > 1
            rows[made], sides[made] = t, -1
            made += 1
        equity[t] = cash + held * closes[t]
        wanted = fast[t] > slow[t]
        out = out and wanted
    return made
