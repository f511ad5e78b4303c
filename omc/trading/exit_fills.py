"""Whether a bar closes a position, and at what price: compiled, and the same for backtest and floor.

`leaves_at_open` is asked before anything is bought, `leaves_inside` once the bar has been traded at its open. A quote
is a bar whose four prices are the bid.
"""

import numba
import numpy as np

from omc.feature.frame import FloatArray
from omc.trading.exits import Levels, Reason
from omc.trading.sizing import on_grid

_STOP_LOSS, _TAKE_PROFIT = int(Reason.STOP_LOSS), int(Reason.TAKE_PROFIT)
_TRAILING_STOP, _TIME_STOP = int(Reason.TRAILING_STOP), int(Reason.TIME_STOP)


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def leaves_at_open(
    levels: Levels,
    sign: float,
    opening: float,
    age: int,
    trail: float,
    stop: float,
    target: float,
    open_: float,
) -> tuple[float, int]:
    """What closes, at its open, a position that was held before the bar: (price, Reason), price NaN for nothing.

    `sign` is +1.0 for a long position, -1.0 for a short one; `opening` is the price it was opened at, `age` the bars
    since; `trail` is where `leaves_inside` left the trailing stop, NaN for a new position. `stop` and `target` are
    prices set for this position alone, NaN for none. `open_` is the bid for a long position, the ask for a short one.
    """
    _, _, _, _, time_stop, gaps_at_open = levels
    if age >= time_stop:
        return open_, _TIME_STOP
    at = sign * open_
    if gaps_at_open:
        fixed, raised = _stops(levels, sign, opening, trail, stop)
        if at <= raised:
            return open_, _TRAILING_STOP
        if at <= fixed:
            return open_, _STOP_LOSS
    if at >= sign * target:
        return open_, _TAKE_PROFIT
    return np.nan, 0


@numba.njit(cache=True, inline="always", error_model="numpy")
def gain_at(ages: FloatArray, gains: FloatArray, age: int) -> tuple[float, float]:
    """The highest age of a table that was reached, and its gain; NaN for none."""
    since, gain = np.nan, np.nan
    for k in range(ages.shape[0]):
        if ages[k] <= age:
            since, gain = ages[k], gains[k]
    return since, gain


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def leaves_inside(
    levels: Levels,
    since: float,
    gain: float,
    sign: float,
    opening: float,
    age: int,
    trail: float,
    stop: float,
    target: float,
    open_: float,
    high: float,
    low: float,
) -> tuple[float, int, float]:
    """What closes a position inside a bar, that of its opening included: (price, Reason, trail), price NaN for nothing.

    `gain` is enough at this age, `since` which age it is: `gain_at` finds both. `open_`, `high` and `low` are what the
    position saw of the bar, as `leaves_at_open` takes prices; `trail` is to be remembered for the next bar. The price
    lies inside the bar and on the grid of eight decimals.
    """
    _, trailing, tight, offset, _, gaps_at_open = levels
    first = sign * open_
    best, worst = (high, low) if sign > 0.0 else (-low, -high)
    fixed, raised = _stops(levels, sign, opening, trail, stop)
    if np.isnan(raised) and worst <= fixed:
        return sign * _stopped(fixed, gaps_at_open, first, best, worst), _STOP_LOSS, trail
    taken = _taken(sign, opening, age, target, first, best, worst, since, gain)
    if not np.isnan(taken):
        return sign * taken, _TAKE_PROFIT, trail
    if worst <= raised:
        return sign * _stopped(raised, gaps_at_open, first, best, worst), _TRAILING_STOP, trail
    distance = trailing
    if not np.isnan(tight) and best > sign * on_grid(opening * (1.0 + sign * offset)):
        distance = tight
    if np.isnan(distance):
        return np.nan, 0, trail
    level = on_grid(sign * best * (1.0 - sign * distance))
    if np.isnan(trail) or sign * level > sign * trail:
        trail = level
    _, raised = _stops(levels, sign, opening, trail, stop)
    if worst <= raised:
        if age == 0:
            # When in its first bar it rose is not known: just enough to arm the stop, then down.
            rise = offset if np.isnan(trailing) else 0.0
            armed = sign * on_grid(opening * (1.0 + sign * (rise - distance)))
            return sign * max(min(armed, raised), worst), _TRAILING_STOP, trail
        return sign * raised, _TRAILING_STOP, trail
    return np.nan, 0, trail


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def _stops(levels: Levels, sign: float, opening: float, trail: float, stop: float) -> tuple[float, float]:
    """Where the stop is, times `sign`: (fixed, raised). Raised is NaN until the trailing stop is the nearer one."""
    fixed = np.nan
    if not np.isnan(levels[0]):
        fixed = sign * on_grid(opening * (1.0 - sign * levels[0]))
    if not np.isnan(stop) and not sign * stop <= fixed:
        fixed = sign * stop
    raised = np.nan
    if not np.isnan(trail) and not sign * trail <= fixed:
        raised = sign * trail
    return fixed, raised


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def _stopped(level: float, gaps_at_open: bool, first: float, best: float, worst: float) -> float:
    """The price of a stop that was hit, times the sign like all of these."""
    if gaps_at_open:
        return max(min(level, first), worst)
    return first if level > best else max(level, worst)


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def _taken(
    sign: float,
    opening: float,
    age: int,
    target: float,
    first: float,
    best: float,
    worst: float,
    since: float,
    gain: float,
) -> float:
    """The price at which enough was gained, times the sign; NaN when it was not."""
    taken = np.nan
    if best > sign * target:
        taken = max(sign * target, first)
    if np.isnan(gain):
        return taken
    level = sign * on_grid(opening * (1.0 + sign * gain))
    if best > level:
        # A gain that is enough from this very open on is taken there; one that was enough before, where it is reached.
        new = since == age and ((age > 0 and first > level) or gain <= -1.0)
        price = first if new else max(min(level, best), worst)
        if not taken <= price:
            taken = price
    return taken
