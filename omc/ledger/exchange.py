"""The exchange ledger: quotes as a venue showed them, and where they are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from omc.clock import utc
from omc.errors import InvalidInput, NotFound
from omc.feature.frame import Frame, as_datetime, as_datetime64
from omc.market.coin import ticker
from omc.market.money import from_grid
from omc.market.quote import Quote, QuoteBoard

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
        """What is stored, by coin: every bar is counted."""
        ...

    async def spans(self, coins: Sequence[str] | None = None) -> dict[str, tuple[datetime, datetime]]:
        """The first and the last stored bar of each of `coins`, or of every coin, that has any; rising by name. However
        much is stored, this is quick."""
        ...

    async def newest(self, coins: Sequence[str]) -> dict[str, Quote]:
        """The newest stored quote of each of `coins` that has any. However much is stored, this is quick."""
        ...

    async def count(self, coins: Sequence[str], start: datetime, end: datetime, most: int) -> int:
        """How many rows `read` would have, counted as far as `most`; a coin never stored adds none."""
        ...


def quoted(frame: Frame) -> NDArray[np.bool_]:
    """Which cells hold a quote. InvalidInput, with coin and time, when one is neither empty nor a sane quote."""
    empty = np.isnan(frame.bid) & np.isnan(frame.ask) & np.isnan(frame.last)
    with np.errstate(invalid="ignore"):
        sane = (frame.bid > 0) & (frame.ask >= frame.bid) & (frame.last > 0)
    wrong = ~empty & ~(sane & np.isfinite(frame.ask) & np.isfinite(frame.last))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        prices = f"bid {frame.bid[row, column]}, ask {frame.ask[row, column]}, last {frame.last[row, column]}"
        raise InvalidInput(f"{frame.coins[column]} at {frame.time(row).isoformat()}: {prices} are no quote")
    return ~empty


def asked_coins(coins: Sequence[str]) -> tuple[str, ...]:
    """`coins` as tickers. InvalidInput when there are none, or one stands there twice."""
    asked = tuple(ticker(coin) for coin in coins)
    if not asked or len(set(asked)) != len(asked):
        raise InvalidInput("name at least one coin, and each of them once")
    return asked


@dataclass(slots=True)
class MemoryPriceArchive:
    """A PriceArchive that lives and dies with the process: by coin and time, bid, ask and last."""

    bars: dict[str, dict[np.datetime64, tuple[float, float, float]]] = field(default_factory=dict)

    async def append(self, board: QuoteBoard) -> int:
        time = as_datetime64(utc(board.time))
        quotes = board.quotes.values()
        return sum(self._store(q.coin, time, (float(q.bid_aud), float(q.ask_aud), float(q.last_aud))) for q in quotes)

    async def load(self, frame: Frame) -> int:
        cells = np.argwhere(quoted(frame))
        coins = [ticker(coin) for coin in frame.coins]
        prices = np.stack([frame.bid, frame.ask, frame.last], axis=-1)
        return sum(self._store(coins[c], frame.times[t], tuple(prices[t, c].tolist())) for t, c in cells.tolist())

    async def read(self, coins: Sequence[str], start: datetime, end: datetime) -> Frame:
        low, high = as_datetime64(utc(start)), as_datetime64(utc(end))
        asked = self._known(coins)
        return self._frame(asked, (time for coin in asked for time in self.bars[coin] if low <= time <= high))

    async def tail(self, coins: Sequence[str], until: datetime, bars: int) -> Frame:
        high = as_datetime64(utc(until))
        asked = self._known(coins)
        frame = self._frame(asked, (time for coin in asked for time in self.bars[coin] if time <= high))
        return frame.rows(max(0, len(frame) - max(0, bars)), len(frame))

    async def coverage(self) -> list[Coverage]:
        return [
            Coverage(coin, as_datetime(min(bars)), as_datetime(max(bars)), len(bars))
            for coin, bars in sorted(self.bars.items())
        ]

    async def spans(self, coins: Sequence[str] | None = None) -> dict[str, tuple[datetime, datetime]]:
        asked = set(self.bars if coins is None else asked_coins(coins))
        return {each.coin: (each.first, each.last) for each in await self.coverage() if each.coin in asked}

    async def newest(self, coins: Sequence[str]) -> dict[str, Quote]:
        stored = {coin: self.bars[coin] for coin in asked_coins(coins) if coin in self.bars}
        return {coin: Quote(coin, *map(from_grid, bars[max(bars)])) for coin, bars in stored.items()}

    async def count(self, coins: Sequence[str], start: datetime, end: datetime, most: int) -> int:
        low, high = as_datetime64(utc(start)), as_datetime64(utc(end))
        times = {time for coin in asked_coins(coins) for time in self.bars.get(coin, ()) if low <= time <= high}
        return min(len(times), max(0, most))

    def _store(self, coin: str, time: np.datetime64, prices: tuple[float, ...]) -> int:
        bid, ask, last = prices
        bars = self.bars.setdefault(coin, {})
        if time in bars:
            return 0
        bars[time] = (bid, ask, last)
        return 1

    def _known(self, coins: Sequence[str]) -> tuple[str, ...]:
        asked = asked_coins(coins)
        if missing := [coin for coin in asked if coin not in self.bars]:
            raise NotFound(f"no prices of {', '.join(missing)} are stored")
        return asked

    def _frame(self, coins: tuple[str, ...], times: Iterable[np.datetime64]) -> Frame:
        rows = sorted(set(times))
        nothing = (np.nan, np.nan, np.nan)
        cells = [[self.bars[coin].get(time, nothing) for coin in coins] for time in rows]
        prices = np.array(cells, np.float64).reshape(len(rows), len(coins), 3)
        return Frame(np.array(rows, "M8[us]"), coins, prices[:, :, 0], prices[:, :, 1], prices[:, :, 2])


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
    """starting, running, paused, waiting (for consumers, in lock-step), frozen (quotes arrive and none of them changes:
    they are not handed on), refused (quotes arrive that are old, or stamped by a clock that jumped: they are not handed
    on), ended (the tape is played)."""
    last_run_at: datetime | None
    last_quotes_at: datetime | None
    """Of the newest that were handed on, by the venue's clock."""
    rows_stored: int
    faults: dict[str, int]
    """Unusable payloads and unanswered polls, counted by kind."""
    last_error: str | None
    tape_position: int | None = None
    tape_bars: int | None = None
    changed_at: datetime | None = None
    """When any quote last changed, by the venue's clock."""
    handed_on_at: datetime | None = None
    """When any were last handed on, in our time."""


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


class QuoteWatch(Protocol):
    """The newest quotes, for whoever shows them and decides nothing on them: no tape waits for a watcher."""

    async def watch(self, shown: datetime | None, timeout_s: float) -> QuoteBoard | None:
        """The newest board once it is another than that of `shown`, waiting up to `timeout_s` for it; None when none
        came. Boards that came and went meanwhile are passed over."""
        ...


class CollectorSwitches(Protocol):
    """What an operator may have a collector do."""

    async def pause(self) -> None:
        """Ask the venue nothing more, until `resume` or a restart."""
        ...

    async def resume(self) -> None: ...

    async def trigger(self) -> None:
        """Ask the venue now rather than when it is due."""
        ...


@dataclass(slots=True)
class MemoryCollectorSwitches:
    """CollectorSwitches that remember what they were asked for."""

    paused: bool = False
    triggered: int = 0

    async def pause(self) -> None:
        self.paused = True

    async def resume(self) -> None:
        self.paused = False

    async def trigger(self) -> None:
        self.triggered += 1
