"""Bars in which nothing happens to one coin: between two bids, a holding near its target is left alone.

For fixed cash and quantity, whether a rebalance would trade depends on the bid alone, and whether a stop or a target
would on the low and the high. The bounds are drawn a little inside of where the exact arithmetic changes its mind, so a
bar within them would surely have done nothing; a bar outside is for the exact arithmetic to judge.
"""

import numba
import numpy as np

from omc.trading.exits import exit_inside
from omc.trading.sizing import on_grid

# Relative: floats are off by 1e-16 a step, so what is this far from a bound is on the right side of it.
_MARGIN = 1e-9
# Weights closer to each other than this are judged exactly.
_CLOSE = 1e-6


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


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def next_change(bid, weights, first, end, lowest, highest):  # type: ignore[no-untyped-def]
    """The first row from `first` on whose bid is outside the bounds or not quoted, or whose weight is not that of the
    row before `first`; `end` when there is none."""
    weight = weights[first - 1, 0]
    t = first
    if np.isnan(weight):
        while t < end and lowest <= bid[t, 0] <= highest and np.isnan(weights[t, 0]):
            t += 1
        return t
    while t + 16 <= end:
        # Without a way out of it, the compiler looks at several rows at once.
        same = 0
        for i in range(t, t + 16):
            same += (bid[i, 0] >= lowest) & (bid[i, 0] <= highest) & (weights[i, 0] == weight)
        if same < 16:
            break
        t += 16
    while t < end and lowest <= bid[t, 0] <= highest and weights[t, 0] == weight:
        t += 1
    return t


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def next_exit(inside, first, end, rules, opening, opened, trail):  # type: ignore[no-untyped-def]
    """For a long position opened at row `opened`: the first row from `first` to `end` in which an exit may close it,
    and where the rows before leave its trailing stop. `inside` are bid, high and low."""
    bid, high, low = inside
    stop_loss, trailing, tight, offset, time_stop, _, ages, gains = rules
    age = first - opened
    reached = -1
    until = float(end)
    for k in range(ages.shape[0]):
        if ages[k] <= age:
            reached = k
        else:
            until = min(until, opened + np.ceil(ages[k]))
            break
    end = np.int64(min(until, opened + time_stop))
    most = opening * (1.0 + gains[reached]) if reached >= 0 else np.inf
    least = opening * (1.0 - stop_loss) if not np.isnan(stop_loss) else -np.inf
    trails = not (np.isnan(trailing) and np.isnan(tight))
    t = first
    while t < end:
        floor, ceiling = least, most
        if trails:
            if not np.isnan(trail):
                floor = max(floor, trail)
            ceiling = min(ceiling, _without_raise(opening, trail, trailing, tight, offset))
        floor, ceiling = floor * (1.0 + _MARGIN) + 1e-8, ceiling * (1.0 - _MARGIN) - 1e-8
        while t < end and low[t, 0] > floor and bid[t, 0] > floor and high[t, 0] < ceiling:
            t += 1
        if t == end or not (bid[t, 0] > floor and low[t, 0] > floor):
            return t, trail
        price, _, raised = exit_inside(
            rules, 1.0, opening, t - opened, trail, np.nan, np.nan, bid[t, 0], high[t, 0], low[t, 0]
        )
        if not np.isnan(price):
            return t, trail
        trail = raised
        t += 1
    return t, trail


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def _without_raise(opening, trail, trailing, tight, offset):  # type: ignore[no-untyped-def]
    """A high up to which the trailing stop stays where it is."""
    arming = on_grid(opening * (1.0 + offset)) if not np.isnan(tight) else np.inf
    if np.isnan(trail):
        return arming if np.isnan(trailing) else 0.0
    loose = arming if np.isnan(trailing) else min(trail / (1.0 - trailing), arming)
    if np.isnan(tight) or tight > trailing or trail / (1.0 - tight) < arming:
        return loose
    return trail / (1.0 - tight)
