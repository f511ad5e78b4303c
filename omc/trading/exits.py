"""When a position is closed without the algorithm asking: stops, targets and age, as fractions of its opening price."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from math import inf, isnan

import numpy as np

from omc.feature.frame import FloatArray, read_only

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
    LIQUIDATION = 6
    """The equity is gone: everything is closed, and the books with it."""


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
        """As `exit_fills` takes them."""
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
