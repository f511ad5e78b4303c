"""The exchange ledger: quotes as a venue showed them, and where they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from omc.feature.frame import Frame
from omc.market.quote import QuoteBoard

BAR = timedelta(minutes=5)


class PriceSource(Protocol):
    """A venue's public prices."""

    async def latest(self) -> QuoteBoard:
        """Every coin's quote now. Unavailable when the venue does not answer with a usable board."""
        ...


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is stored of one coin."""

    coin: str
    first: datetime
    last: datetime
    bars: int


class PriceArchive(Protocol):
    """Stored quotes of one venue, one a coin and bar. Storing a bar again changes nothing."""

    async def append(self, board: QuoteBoard) -> int:
        """Store a board's quotes at the board's time; how many were new."""
        ...

    async def load(self, frame: Frame) -> int:
        """Store a whole history in bulk; how many bars were new."""
        ...

    async def read(self, coins: Sequence[str], start: datetime, end: datetime) -> Frame:
        """Bars from `start` to `end` (both included). Rows are the times at which any of `coins` was quoted; NaN
        where one was not. A coin never stored is NotFound."""
        ...

    async def tail(self, coins: Sequence[str], until: datetime, bars: int) -> Frame:
        """The last `bars` rows up to and including `until`; fewer when fewer are stored."""
        ...

    async def coverage(self) -> list[Coverage]:
        """What is stored, by coin."""
        ...


def bar_time(time: datetime) -> datetime:
    """The bar boundary at or before `time`."""
    seconds = int(time.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(BAR.total_seconds()), time.tzinfo)
