"""When a position is closed without the algorithm asking: stops, targets and age, as fractions of its opening price.

Backtest and floor look at a bar with the same two functions: `exit_at_open` before anything is bought, `exit_inside`
once the bar has been traded at its open. A quote is a bar whose four prices are the bid.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from math import inf, isnan

import numba
import numpy as np

from omc.feature.frame import FloatArray, read_only
from omc.trading.sizing import on_grid

NONE = float("nan")


class Reason(IntEnum):
    """Why an execution was made."""

    SIGNAL = 0
    """The algorithm asked for it."""
    STOP_LOSS = 1
    TAKE_PROFIT = 2
    TRAILING_STOP = 3
    TIME_STOP = 4
    END = 5
    """The last bar of a backtest that closes whatever is open."""


_STOP_LOSS, _TAKE_PROFIT = int(Reason.STOP_LOSS), int(Reason.TAKE_PROFIT)
_TRAILING_STOP, _TIME_STOP = int(Reason.TRAILING_STOP), int(Reason.TIME_STOP)

Levels = tuple[float, float, float, float, float, bool]
"""Of `Exits`, as compiled functions take them: stop_loss, trailing, trailing_tight, trailing_offset, time_stop_bars
(inf for none), gaps_at_open."""
Rules = tuple[Levels, FloatArray, FloatArray]
"""All of `Exits`: with take_profit's ages and gains, (K,) each."""


@dataclass(frozen=True)
class Exits:
    """`docs/concepts/fills.md` says in which order they are looked at. NaN, an empty tuple and 0 mean none."""

    stop_loss: float = NONE
    """The loss since the opening that closes it."""
    trailing: float = NONE
    """The fall below the best price since the opening that closes it."""
    trailing_tight: float = NONE
    """Replaces `trailing` once the best price has gained more than `trailing_offset`. Without `trailing`, nothing
    trails before."""
    trailing_offset: float = 0.0
    take_profit: tuple[tuple[float, float], ...] = ()
    """(bars held, gain): from that age on, a gain strictly greater closes it. Ages rise from the first, which is 0 or
    more, and may lie between two bars; the gain of the highest age that was reached counts, and may be negative."""
    time_stop_bars: int = 0
    """Bars after its opening, at whose open it is closed."""
    reentry: bool = False
    """Whether a coin that was closed so may be bought again while the algorithm still wants it."""
    gaps_at_open: bool = True
    """A stop that a bar opens beyond fills at that open, before anything else. False looks at stops inside the bar
    only, a trailing one after the take-profit, and fills them at their level wherever the bar touched it: as engines
    report that judge a candle as a whole, and kinder than a market."""

    def __post_init__(self) -> None:
        for name in ("stop_loss", "trailing", "trailing_tight"):
            value: float = getattr(self, name)
            if not (isnan(value) or 0.0 < value < 1.0):
                raise ValueError(f"{name} must be a fraction above 0 and below 1, not {value}")
        if not 0.0 <= self.trailing_offset < inf:
            raise ValueError(f"trailing_offset must be 0 or more, not {self.trailing_offset}")
        ages = [age for age, _ in self.take_profit]
        if ages != sorted(set(ages)) or not all(0 <= age < inf for age in ages):
            raise ValueError(f"ages of take_profit must rise from 0 or more, not {ages}")
        if not all(abs(gain) < inf for _, gain in self.take_profit):
            raise ValueError(f"gains of take_profit must be numbers, not {[gain for _, gain in self.take_profit]}")
        if self.time_stop_bars < 0:
            raise ValueError(f"time_stop_bars must be 0 or more, not {self.time_stop_bars}")

    @property
    def any(self) -> bool:
        """Whether it closes anything at all."""
        return (
            not (isnan(self.stop_loss) and isnan(self.trailing) and isnan(self.trailing_tight))
            or bool(self.take_profit)
            or self.time_stop_bars > 0
        )

    @cached_property
    def rules(self) -> Rules:
        """For `exit_at_open` and `exit_inside`."""
        table = np.array(self.take_profit, np.float64).reshape(-1, 2)
        levels = (
            float(self.stop_loss),
            float(self.trailing),
            float(self.trailing_tight),
            float(self.trailing_offset),
            float(self.time_stop_bars or inf),
            bool(self.gaps_at_open),
        )
        return levels, read_only(table[:, 0]), read_only(table[:, 1])


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def exit_at_open(
    rules: Rules,
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
    since; `trail` is where `exit_inside` left the trailing stop, NaN for a new position. `stop` and `target` are prices
    set for this position alone, NaN for none. `open_` is the bid for a long position, the ask for a short one.
    """
    return leaves_at_open(rules[0], sign, opening, age, trail, stop, target, open_)


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
    """`exit_at_open`, which asks only for the levels of its rules."""
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


@numba.njit(cache=True, forceinline=True, error_model="numpy")
def exit_inside(
    rules: Rules,
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

    `open_`, `high` and `low` are what the position saw of the bar, as `exit_at_open` takes prices; `trail` is to be
    remembered for the next bar. The price lies inside the bar and on the grid of eight decimals.
    """
    since, gain = gain_at(rules[1], rules[2], age)
    return leaves_inside(rules[0], since, gain, sign, opening, age, trail, stop, target, open_, high, low)


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
    """`exit_inside`, which looks up the `gain` that is enough at this age, `since` which age it is."""
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
