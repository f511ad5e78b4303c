"""Bars in which nothing happens to one coin: between two bids, a holding near its target is left alone.

For fixed cash and quantity, whether a rebalance would trade depends on the bid alone, and whether a stop or a target
would on the low and the high. The bounds are drawn a little inside of where the exact arithmetic changes its mind, so a
bar within them would surely have done nothing; a bar outside is for the exact arithmetic to judge.
"""

import numba
import numpy as np

from omc.trading.exit_fills import gain_at
from omc.trading.sizing import on_grid

# Relative: floats are off by 1e-16 a step, so what is this far from a bound is on the right side of it.
_MARGIN = 1e-9
# Weights closer to each other than this are judged exactly.
_CLOSE = 1e-6
_UNIT = 1e-8
_BLOCK = 32


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def bids_without_trade(held, cash, goal, band, min_order):  # type: ignore[no-untyped-def]
    """The lowest and highest bid at which `held` coins are left as they are on the way to the weight `goal` (NaN when
    nothing is wanted of them); the first is above the second where there are none."""
    if np.isnan(goal):
        return -np.inf, np.inf
    if held < 0.0 or goal < 0.0 or cash < 0.0:
        return np.inf, -np.inf
    nothing_to_buy_with = cash == 0.0 or goal * cash < min_order * (1.0 - _MARGIN)
    if held == 0.0:
        alone = goal == 0.0 or nothing_to_buy_with or goal * cash <= band * cash
        return (-np.inf, np.inf) if alone else (np.inf, -np.inf)
    if goal == 0.0:
        return -np.inf, min_order / held * (1.0 - _MARGIN)
    over, under, rest = 1.0 - goal - band, 1.0 - goal + band, 1.0 - goal
    highest = np.inf
    if goal < 1.0 and over >= -_CLOSE:
        highest = (goal + band) * cash / (held * over) if over > _CLOSE else 0.0
        if rest > _CLOSE:
            highest = max(highest, (min_order + goal * cash) / (held * rest))
    lowest = -np.inf
    if goal > band and not nothing_to_buy_with:
        lowest = (goal - band) * cash / (held * under) if under > _CLOSE else np.inf
        if rest > _CLOSE:
            lowest = min(lowest, (goal * cash - min_order) / (held * rest))
    return (
        lowest + abs(lowest) * _MARGIN if lowest > -np.inf else lowest,
        highest - abs(highest) * _MARGIN if highest < np.inf else highest,
    )


@numba.njit(cache=True, inline="always", error_model="numpy")
def next_change(bid, said, first, end, lowest, highest):  # type: ignore[no-untyped-def]
    """The first row from `first` on whose bid is outside the bounds or not quoted, or for which something else was
    `said` than for the row before `first` (the bits of its weight); `end` when there is none."""
    before = said[first - 1, 0]
    t = first
    while t + _BLOCK <= end:
        # No way out in the middle, and rows that cannot be negative: the compiler looks at several of them at once.
        others = 0
        for i in range(np.uintp(t), np.uintp(t + _BLOCK)):
            at = bid[i, 0]
            others += 0 if (at >= lowest) & (at <= highest) & (said[i, 0] == before) else 1
        if others > 0:
            break
        t += _BLOCK
    while t < end:
        row = np.uintp(t)
        at = bid[row, 0]
        if not ((at >= lowest) & (at <= highest) & (said[row, 0] == before)):
            break
        t += 1
    return t


@numba.njit(cache=True, inline="always", error_model="numpy")
def next_exit(bid, high, low, first, end, levels, ages, gains, opening, opened, trail):  # type: ignore[no-untyped-def]
    """For a long position opened at row `opened`: the first row from `first` to `end` in which an exit may close it,
    and where the rows before leave its trailing stop."""
    stop_loss, trailing, tight, offset, time_stop, _ = levels
    _, gain = gain_at(ages, gains, first - opened)
    until = min(np.float64(end), opened + time_stop)
    for k in range(ages.shape[0]):
        if ages[k] > first - opened:
            until = min(until, opened + np.ceil(ages[k]))
    most = np.inf if np.isnan(gain) else opening * (1.0 + gain)
    least = -np.inf if np.isnan(stop_loss) else opening * (1.0 - stop_loss)
    arming = on_grid(opening * (1.0 + offset)) if not np.isnan(tight) else np.inf
    far = -np.inf if np.isnan(trailing) else 1.0 - trailing
    near = far if np.isnan(tight) else 1.0 - tight
    floor = (least if np.isnan(trail) else max(least, trail)) * (1.0 + _MARGIN) + _UNIT
    most = most * (1.0 - _MARGIN) - _UNIT
    raised = -np.inf
    t = first
    while t < until:
        i = np.uintp(t)
        level = max(raised, high[i, 0] * (near if high[i, 0] > arming else far))
        # Where the level lies once it is on the grid, rather too high than too low.
        edge = max(floor, level * (1.0 + _MARGIN) + 2.0 * _UNIT)
        if not ((low[i, 0] > edge) & (bid[i, 0] > edge) & (high[i, 0] < most)):
            break
        raised = level
        t += 1
    # Rounding keeps the order of levels, so the last one is the highest of them all.
    level = on_grid(raised)
    if level > trail or (np.isnan(trail) and level > -np.inf):
        trail = level
    return t, trail


@numba.njit(cache=True, inline="always", error_model="numpy")
def mark_quiet(curves, bid, close, first, end, cash, held):  # type: ignore[no-untyped-def]
    """Mark the books in rows in which nothing was traded."""
    unmarked = 0
    for t in range(np.uintp(first), np.uintp(end)):
        value = cash + held * close[t, 0] if held != 0.0 else cash
        curves[0, t] = value
        curves[1, t] = cash
        unmarked += 1 if value != value else 0
    if unmarked > 0:
        # Quoted when the bar opened and not when it closed: the open is the last mark.
        for t in range(first, end):
            curves[0, t] = cash + held * (bid[t, 0] if np.isnan(close[t, 0]) else close[t, 0])
