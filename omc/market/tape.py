"""A recording of a market that an exchange can play: quotes bar by bar, with the tape's clock as the only clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import Frame

BARS_A_DAY = 288
LEAST_HISTORY_BARS = BARS_A_DAY
"""Less than a day of history is nothing to research on."""


@dataclass(frozen=True, slots=True)
class Tape:
    """Quotes on the eight-decimal grid. A coin missing from a bar for an hour or less keeps its last quote; beyond
    that, and outside its own first and last bar, it is not quoted. Bars in which no coin is quoted are left out."""

    frame: Frame
    source: str
    """Where it came from, for a person: file names, or the seed of a synthetic market."""

    def split_row(self, days: float) -> int:
        """The first row of the last `days` days. InvalidInput when that leaves no floor, or too little history."""
        if not 0 < days < float("inf"):
            raise InvalidInput(f"the floor's part must be a positive number of days, not {days}")
        if len(self.frame) < 2:
            raise InvalidInput("the tape is shorter than two bars")
        end = self.frame.times[-1]
        since = end - np.timedelta64(round(days * 86_400_000_000), "us")
        row = int(np.searchsorted(self.frame.times, since, side="right"))
        if row < LEAST_HISTORY_BARS:
            held = (end - self.frame.times[0]) / np.timedelta64(1, "D")
            raise InvalidInput(
                f"the tape holds {held:.1f} days ({len(self.frame)} bars): a floor of {days:g} days "
                f"leaves {row} bars of history, and it takes at least {LEAST_HISTORY_BARS}"
            )
        if len(self.frame) - row < 2:
            raise InvalidInput(f"the last {days:g} days of the tape hold fewer than two bars")
        return row

    def split(self, days: float) -> tuple[Self, Self]:
        """History to research on, and the last `days` days for the floor."""
        row = self.split_row(days)
        history, floor = self.frame.rows(0, row), self.frame.rows(row, len(self.frame))
        return type(self)(history, self.source), type(self)(floor, self.source)


@dataclass(frozen=True, slots=True)
class TapeClock:
    """Where a playing tape stands: at bar `position` of `bars`, counted from 0."""

    time: datetime
    position: int
    bars: int
    lockstep: bool

    @property
    def ended(self) -> bool:
        return self.position >= self.bars - 1


class TapeControl(Protocol):
    """The hand on a playing tape."""

    async def clock(self) -> TapeClock: ...

    async def step(self, position: int) -> TapeClock:
        """Move on by one bar from `position`; a tape that stands elsewhere already, or has ended, stays."""
        ...
