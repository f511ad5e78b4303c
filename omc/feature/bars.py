"""Every bar of a stretch of time, by the clock: those in which a coin was never quoted stand there too, as gaps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import FloatArray, Frame, TimeArray, as_datetime64
from omc.feature.resample import candles
from omc.ledger.exchange import BAR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` bars of `interval`, the first of which begins at `first`, a multiple of `interval` since 1970 in UTC."""

    first: datetime
    interval: timedelta
    count: int

    @classmethod
    def over(cls, start: datetime, end: datetime, interval: timedelta) -> Self:
        """The bars that any moment from `start` to `end` (both included) lies in; none when the end comes first."""
        first = _EPOCH + (start - _EPOCH) // interval * interval
        return cls(first, interval, max(0, (end - first) // interval + 1) if end >= start else 0)

    def part(self, offset: int, count: int) -> Self:
        """At most `count` of the bars, from the one numbered `offset` on."""
        begin = min(offset, self.count)
        return type(self)(self.first + begin * self.interval, self.interval, min(count, self.count - begin))

    def parts(self, count: int) -> Iterator[Self]:
        """All of the bars, `count` at a time."""
        return (self.part(offset, count) for offset in range(0, self.count, count))

    @property
    def last_moment(self) -> datetime:
        return self.first + self.count * self.interval - _MICROSECOND

    @property
    def times(self) -> TimeArray:
        """When the bars begin."""
        return as_datetime64(self.first) + np.arange(self.count) * np.timedelta64(self.interval)

    @property
    def expected_quotes(self) -> int:
        """How many quotes a whole bar is made of: one is stored every five minutes."""
        return self.interval // BAR

    def places(self, times: TimeArray) -> NDArray[np.int64]:
        """The number of the bar that each of `times` lies in."""
        return (times - as_datetime64(self.first)) // np.timedelta64(self.interval)


@dataclass(frozen=True, slots=True)
class QuoteBars:
    """The newest quote of each bar, in AUD, (T,) each; NaN in a gap. `times` are when they were quoted; of a gap, when
    it begins."""

    times: TimeArray
    bid: FloatArray
    ask: FloatArray
    last: FloatArray

    @property
    def gap(self) -> NDArray[np.bool_]:
        return np.isnan(self.last)


@dataclass(frozen=True, slots=True)
class CandleBars:
    """First, highest, lowest and last of the last prices in each bar, in AUD, (T,) each; NaN in a gap.

    `quotes` counts the five minutes of a bar in which the coin was quoted. A bar is complete when it was in all of
    them: what is stored will never be another, so neither will a bar that is complete.
    """

    times: TimeArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    quotes: NDArray[np.int64]
    complete: NDArray[np.bool_]

    @property
    def gap(self) -> NDArray[np.bool_]:
        return self.quotes == 0


def quote_bars(frame: Frame, grid: Grid) -> QuoteBars:
    """Of the first coin of a frame whose rows lie in `grid`."""
    quoted = ~np.isnan(frame.last[:, 0])
    known = frame.times[quoted]
    place, times = grid.places(known), grid.times
    times[place] = known
    return QuoteBars(times, *(_laid(side[quoted, 0], place, grid) for side in (frame.bid, frame.ask, frame.last)))


def candle_bars(frame: Frame, grid: Grid) -> CandleBars:
    """Of the first coin of a frame whose rows lie in `grid`."""
    table = candles(frame.times, frame.last[:, 0], grid.interval)
    place = grid.places(table.times)
    slots = np.unique(frame.times[~np.isnan(frame.last[:, 0])].astype("i8") // (BAR // _MICROSECOND))
    at = grid.places((slots * (BAR // _MICROSECOND)).view("M8[us]"))
    quotes = np.bincount(at, minlength=grid.count).astype(np.int64)
    return CandleBars(
        grid.times,
        open=_laid(table.open, place, grid),
        high=_laid(table.high, place, grid),
        low=_laid(table.low, place, grid),
        close=_laid(table.close, place, grid),
        quotes=quotes,
        complete=quotes == grid.expected_quotes,
    )


def _laid(values: FloatArray, place: NDArray[np.int64], grid: Grid) -> FloatArray:
    """Of several in one place, the last."""
    laid = np.full(grid.count, np.nan)
    laid[place] = values
    return laid
