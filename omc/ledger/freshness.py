"""Whether a board of quotes is as new as it pretends to be: a venue's answer carries no time.

A market of several coins does not go back, to the last digit, to where it was before: a board that shows what an
earlier one showed is that one once more, out of somebody's cache. And one of many coins does not stand still for long.
Of few coins neither is certain, so whoever doubts asks again, and in the end believes.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from omc.market.quote import Quote, QuoteBoard

REMEMBERED: Final = 720
"""An hour of boards that come every five seconds."""
RECALLED: Final = 192
"""How many bars a successor learns from the archive."""
ASKED_AGAIN: Final = 2
"""How often a board that is doubted is asked for again before it is believed."""
MANY: Final = 10
_LATELY = 32
"""How many boards show which coins there are."""
FROZEN_AFTER: Final = timedelta(minutes=15)
FROZEN_AFTER_FEW: Final = timedelta(minutes=65)
"""Of fewer than `MANY` coins: a recording repeats the last quotes of a coin that is missing for up to an hour."""


class Doubt(StrEnum):
    STALE = "stale"
    """It shows what was shown before the last change."""
    STILL = "still"
    """It shows what the newest does, though time has moved on by a bar."""
    BACKWARDS = "backwards"
    """It is older than the newest by its own time."""
    AHEAD = "ahead"
    """Its time is further on than time is."""
    SPOILED = "spoiled"
    """Quotes are unusable, and coins are missing that were usable before."""


@dataclass(slots=True)
class Freshness:
    """One source's boards as they came, each that differs from the one before it, the newest last."""

    _newest: Mapping[str, Quote] = field(default_factory=dict)
    _shown: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Their hashes: whole boards of an hour would be a hundred megabytes."""
    _coins: deque[frozenset[str]] = field(default_factory=lambda: deque(maxlen=_LATELY))
    newest_at: datetime | None = None
    changed_at: datetime | None = None
    """When a board first showed what the newest shows, by the venue's clock."""

    def doubt(self, board: QuoteBoard, *, next_bar: bool = False) -> Doubt | None:
        """Why `board` is not to be believed at once. With `next_bar`, time has moved on by a bar since the newest."""
        if self.newest_at is not None and board.time < self.newest_at:
            return Doubt.BACKWARDS
        if not self._shown:
            return None
        if board.quotes == self._newest:
            return Doubt.STILL if next_bar else None
        if _hash(board) in self._shown:
            return Doubt.STALE
        if not board.faults:
            return None
        # Over bars a coin may have been away, be back, and be spoiled in the same answer.
        coins = frozenset[str]().union(*self._coins) if next_bar else self._newest.keys()
        return Doubt.SPOILED if coins - board.quotes.keys() else None

    def believable(self, board: QuoteBoard, doubt: Doubt | None) -> bool:
        """Whether `board` is believed after all when the venue, asked again, stays with it."""
        if doubt is Doubt.STALE:
            return len(board.quotes) < MANY
        return doubt not in (Doubt.BACKWARDS, Doubt.AHEAD)

    def take(self, board: QuoteBoard) -> None:
        """`board` is believed."""
        if not self._shown or board.quotes != self._newest:
            self._newest, self.changed_at = board.quotes, board.time
            self._coins.append(frozenset(board.quotes))
            self._shown.append(_hash(board))
        self.newest_at = board.time

    def set_back(self, to: datetime) -> None:
        """The venue's clock was set back. What was shown is as old as before, whatever time it was given then."""
        self.newest_at, self.changed_at = None, to

    @property
    def frozen(self) -> bool:
        """Whether nothing has changed for so long that nobody can say what the market is."""
        if self.newest_at is None or self.changed_at is None:
            return False
        patience = FROZEN_AFTER if len(self._newest) >= MANY else FROZEN_AFTER_FEW
        return self.newest_at - self.changed_at >= patience


def _hash(board: QuoteBoard) -> int:
    return hash(frozenset(board.quotes.values()))
