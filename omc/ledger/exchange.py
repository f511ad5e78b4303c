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


@dataclass(frozen=True, slots=True)
class QuotesSeen:
    """A board as consumers get it. On `bar` it was stored, and algorithms decide on it."""

    board: QuoteBoard
    bar: bool


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """How a ledger's collector is doing."""

    ledger: str
    state: str
    """starting, running, paused, waiting (for consumers, in lock-step), ended (the tape is played)."""
    last_run_at: datetime | None
    last_quotes_at: datetime | None
    rows_stored: int
    faults: dict[str, int]
    """Unusable payloads and unanswered polls, counted by kind."""
    last_error: str | None
    tape_position: int | None = None
    tape_bars: int | None = None


class HotCache(Protocol):
    """The newest quotes, for whoever cannot wait for the archive."""

    async def newest(self) -> QuoteBoard | None: ...

    async def after(self, consumer: str, done_until: datetime | None, timeout_s: float) -> QuotesSeen | None:
        """The next board later than `done_until`, waiting up to `timeout_s` for it; None when none came.

        Asking says that the consumer has finished with everything up to `done_until`. In lock-step the tape moves on
        only when every consumer has asked for more. With `done_until` None it gets the newest board there is.
        """
        ...

    async def leave(self, consumer: str) -> None:
        """Stop waiting for a consumer that will not ask again."""
        ...

    async def status(self) -> CollectorStatus: ...
