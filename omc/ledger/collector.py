"""What the exchange ledger's collector decides: which board is a bar, who still needs it, when the tape may move on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from omc.feature.frame import Frame
from omc.ledger.exchange import QuotesSeen, bar_time
from omc.market.money import from_grid
from omc.market.quote import Quote, QuoteBoard

BAR_GRACE = timedelta(minutes=1)
"""How late after a bar's beginning its quotes may be and still stand for it; later ones would be a look ahead."""


def next_bar(board: QuoteBoard, last_bar: datetime | None) -> QuoteBoard | None:
    """`board` as the bar that it is the first to show, at the bar's own time; None when it shows no new bar."""
    time = bar_time(board.time)
    if not board.quotes or (last_bar is not None and time <= last_bar) or board.time - time > BAR_GRACE:
        return None
    return replace(board, time=time)


def as_stored(bar: QuoteBoard, stored: Frame) -> QuoteBoard:
    """`bar` with the quotes that the archive holds for it in its last row: another may have stored it from other
    quotes, and died before it could show them."""
    if not len(stored) or stored.time(-1) != bar.time:
        return bar
    return board_of(stored, -1)


def board_of(frame: Frame, row: int) -> QuoteBoard:
    """A frame's quotes in one row; coins that are not quoted there are left out."""
    prices = zip(frame.coins, frame.bid[row], frame.ask[row], frame.last[row], strict=True)
    quotes = {
        coin: Quote(coin, from_grid(float(bid)), from_grid(float(ask)), from_grid(float(last)))
        for coin, bid, ask, last in prices
        if not np.isnan(bid)
    }
    return QuoteBoard(frame.time(row), quotes)


@dataclass(slots=True)
class Consumers:
    """Who waits for quotes, and up to when each has finished with them.

    One that died is still here: in lock-step the tape waits for its restart, so that it misses no bar. It goes only
    when it leaves.
    """

    done_until: dict[str, datetime | None] = field(default_factory=dict)

    def expect(self, names: Iterable[str]) -> None:
        """Consumers that must be waited for, though they have not asked since we began to count."""
        for name in names:
            self.done_until.setdefault(name, None)

    def ask(self, name: str, done_until: datetime | None) -> None:
        self.done_until[name] = done_until

    def leave(self, name: str) -> None:
        self.done_until.pop(name, None)

    def forget(self, shown: datetime, gone: Callable[[str], bool]) -> None:
        """Wait no longer for those that hold up `shown` and are gone, whoever should have said so."""
        for name in self.waiting_for(shown):
            if gone(name):
                self.leave(name)

    def waiting_for(self, shown: datetime) -> list[str]:
        """Who has not finished with the quotes of `shown` yet."""
        return [name for name, done in self.done_until.items() if done is None or done < shown]

    def may_move_on(self, shown: datetime) -> bool:
        """Whether a tape in lock-step may go on to its next bar: without consumers it stands still."""
        return bool(self.done_until) and not self.waiting_for(shown)


@dataclass(slots=True)
class HotBoard:
    """The newest quotes, and the newest of them that are a bar."""

    newest: QuoteBoard | None = None
    bar: QuotesSeen | None = None

    def show(self, seen: QuotesSeen) -> None:
        """A bar counts as newest only when nothing later was seen: it carries its beginning's time."""
        if seen.bar:
            self.bar = seen
        if self.newest is None or seen.board.time >= self.newest.time:
            self.newest = seen.board

    def after(self, done_until: datetime | None) -> QuotesSeen | None:
        """What somebody who has finished with everything up to `done_until` gets now: a bar before anything else."""
        if self.bar is not None and (done_until is None or self.bar.board.time > done_until):
            return self.bar
        if self.newest is not None and (done_until is None or self.newest.time > done_until):
            return QuotesSeen(self.newest, bar=False)
        return None
