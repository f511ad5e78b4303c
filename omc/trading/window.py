"""The trailing bars that an algorithm decides on, kept as they come."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from omc.feature.frame import FloatArray, Frame, as_datetime, as_datetime64
from omc.ledger.exchange import BAR
from omc.market.quote import QuoteBoard


def prices(board: QuoteBoard, coins: Sequence[str]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bid, ask and last of `coins`, (C,) float64 each, NaN where one is not quoted."""
    quotes = [board.quotes.get(coin) for coin in coins]
    return (
        np.array([float(quote.bid_aud) if quote else np.nan for quote in quotes]),
        np.array([float(quote.ask_aud) if quote else np.nan for quote in quotes]),
        np.array([float(quote.last_aud) if quote else np.nan for quote in quotes]),
    )


class Window:
    """The last `bars` rows of a Frame, growing at its end. Room is kept for as many again, so that a row is moved
    once in `bars` bars rather than at every one."""

    def __init__(self, tail: Frame, bars: int) -> None:
        if bars < 1:
            raise ValueError(f"an algorithm sees at least its own bar, not {bars}")
        self.coins = tail.coins
        self._bars = bars
        self._times = np.empty(2 * bars, dtype="datetime64[us]")
        self._prices = np.empty((3, 2 * bars, len(tail.coins)))
        kept = tail.rows(max(0, len(tail) - bars), len(tail))
        self._end = len(kept)
        self._times[: self._end] = kept.times
        self._prices[:, : self._end] = kept.bid, kept.ask, kept.last

    @property
    def last_time(self) -> datetime | None:
        return as_datetime(self._times[self._end - 1]) if self._end else None

    def follows(self, time: datetime, within: timedelta = BAR) -> bool:
        """Whether a bar of `time` is surely the next: no other can have been stored in between."""
        last = self.last_time
        return last is not None and last < time <= last + within

    def append(self, time: datetime, bid: FloatArray, ask: FloatArray, last: FloatArray) -> None:
        if self._end == len(self._times):
            self._times[: self._bars] = self._times[-self._bars :]
            self._prices[:, : self._bars] = self._prices[:, -self._bars :]
            self._end = self._bars
        self._times[self._end] = as_datetime64(time)
        self._prices[:, self._end] = bid, ask, last
        self._end += 1

    def frame(self) -> Frame:
        """A view of the rows: valid until the next `append`."""
        start = max(0, self._end - self._bars)
        view = self._prices[:, start : self._end]
        view.flags.writeable = False
        bid, ask, last = view
        return Frame(self._times[start : self._end], self.coins, bid, ask, last)


def widened(frame: Frame, coins: Sequence[str]) -> Frame:
    """`frame` with a column for each of `coins`, in their order; one that it does not have was never quoted."""
    at = {coin: column for column, coin in enumerate(frame.coins)}
    columns = []
    for prices in (frame.bid, frame.ask, frame.last):
        wide = np.full((len(frame), len(coins)), np.nan)
        for column, coin in enumerate(coins):
            if coin in at:
                wide[:, column] = prices[:, at[coin]]
        columns.append(wide)
    return Frame(frame.times, tuple(coins), *columns)


def last_bids(frame: Frame) -> dict[str, float]:
    """Each coin's last quoted bid, for those quoted at all."""
    found: dict[str, float] = {}
    for at, coin in enumerate(frame.coins):
        quoted = frame.bid[~np.isnan(frame.bid[:, at]), at]
        if len(quoted):
            found[coin] = float(quoted[-1])
    return found
