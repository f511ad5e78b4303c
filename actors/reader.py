"""A source's boards, handed on only when they are as new as they pretend to be."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from actors.tally import Tally
from omc.clock import Clock
from omc.errors import Unavailable
from omc.ledger.exchange import PriceSource
from omc.ledger.freshness import ASKED_AGAIN, Doubt, Freshness
from omc.ledger.timeline import Timeline
from omc.market.quote import QuoteBoard

REFUSED: Final = "refused"
"""The state of a collector to whom nothing is shown that can be believed."""


class Reader:
    """Asks again while there is doubt, and tells the tally what it met. `elapsed` counts seconds, as no clock does that
    can be set: beside it a source's clock shows when it jumps."""

    def __init__(self, source: PriceSource, clock: Clock, tally: Tally, elapsed: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._tally = tally
        self._elapsed = elapsed
        self._fresh = Freshness()
        self._timeline = Timeline()
        self.set_back = False
        """Whether the newest board is earlier than what was handed on before it: the source's clock was set back."""

    @property
    def frozen(self) -> bool:
        return self._fresh.frozen

    def recall(self, boards: Iterable[QuoteBoard]) -> None:
        """What a predecessor was shown, oldest first: an answer out of somebody's cache is as old for its successor."""
        for each in boards:
            self._fresh.take(each)

    async def board(self, tape_time: datetime | None = None, *, timed: bool = False) -> QuoteBoard:
        """What the source shows now. Unavailable when it shows nothing that can be believed. On a tape in lock-step,
        whose clock is the only clock, `tape_time` is the board's. What is `timed` goes as time does."""
        board = await self._poll(tape_time)
        for _ in range(ASKED_AGAIN):
            doubt = self._doubt(board, timed, next_bar=tape_time is not None)
            if doubt is None:
                break
            former, board = board, await self._poll(tape_time)
            if board.quotes != former.quotes:
                self._tally.count(doubt, 1)
        doubt = self._doubt(board, timed, next_bar=tape_time is not None)
        if not self._fresh.believable(board, doubt):
            self._tally.count(str(doubt), 1)
            self._tally.be(REFUSED)
            raise Unavailable(f"the quotes of {board.time.isoformat()} are not handed on: they are {self._why(doubt)}")
        self._take(board, timed)
        return board

    def _doubt(self, board: QuoteBoard, timed: bool, *, next_bar: bool) -> Doubt | None:
        jump = self._timeline.jump(board.time, self._elapsed()) if timed else None
        self._jump = jump or timedelta(0)
        if jump is None:
            doubt = self._fresh.doubt(board, next_bar=next_bar)
            # Its clock was set back, and has gone on from there.
            return None if timed and doubt is Doubt.BACKWARDS and self._timeline.lasted(self._elapsed()) else doubt
        return Doubt.AHEAD if jump > timedelta(0) else Doubt.BACKWARDS

    def _why(self, doubt: Doubt | None) -> str:
        if not self._jump:
            return str(doubt)
        return f"{doubt}, by a clock that jumped by {self._jump.total_seconds():+.0f} s"

    def _take(self, board: QuoteBoard, timed: bool) -> None:
        self.set_back = timed and self._timeline.take(board.time, self._elapsed())
        if self.set_back:
            self._tally.count("clock", 1)
            self._fresh.set_back(board.time)
        self._fresh.take(board)
        if self._tally.status.state == REFUSED:
            self._tally.be("running")
        self._tally.note(changed_at=self._fresh.changed_at, last_quotes_at=board.time, handed_on_at=self._clock.now())

    async def _poll(self, tape_time: datetime | None) -> QuoteBoard:
        with self._tally.counting("source"):
            board = await self._source.latest()
        if board.faults:
            self._tally.count("quote", len(board.faults))
        self._tally.note(last_run_at=self._clock.now(), last_error=None)
        return board if tape_time is None else replace(board, time=tape_time)
