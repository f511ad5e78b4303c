"""A recording of a market that an exchange can play: quotes bar by bar, with the tape's clock as the only clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from omc.feature.frame import Frame


@dataclass(frozen=True, slots=True)
class Tape:
    """Quotes on the eight-decimal grid. A coin missing from a bar for an hour or less keeps its last quote; beyond
    that, and outside its own first and last bar, it is not quoted."""

    frame: Frame
    source: str
    """Where it came from, for a person: file names, or the seed of a synthetic market."""


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
