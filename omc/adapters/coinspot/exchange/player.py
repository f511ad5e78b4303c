"""A tape played into a paper venue: in lock-step with its consumers, or N times as fast as real time."""

import asyncio
import time
from dataclasses import dataclass

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import as_datetime
from omc.market.money import from_grid
from omc.market.quote import Quote, QuoteBoard
from omc.market.tape import Tape, TapeClock
from omc.trading.paper.venue import PaperVenue

BAR_S = 300.0


@dataclass(slots=True)
class TapePlayer:
    """Stands at `position` and shows the venue every bar that it passes."""

    tape: Tape
    venue: PaperVenue
    position: int
    lockstep: bool

    def __post_init__(self) -> None:
        if not 0 <= self.position < len(self.tape.frame):
            raise InvalidInput(f"the tape has bars 0 to {len(self.tape.frame) - 1}: it cannot start at {self.position}")
        self.venue.show(board_at(self.tape, self.position))

    def clock(self) -> TapeClock:
        frame = self.tape.frame
        return TapeClock(as_datetime(frame.times[self.position]), self.position, len(frame), self.lockstep)

    def step(self, position: int) -> TapeClock:
        """In lock-step, move on from `position`; asking twice moves once."""
        if self.lockstep and position == self.position:
            self._advance()
        return self.clock()

    async def play(self, speed: float) -> None:
        """Move on by itself, a bar every five minutes over `speed`, until the end."""
        started, first = time.monotonic(), self.position
        while not self.clock().ended:
            due = started + (self.position + 1 - first) * BAR_S / speed
            await asyncio.sleep(max(due - time.monotonic(), 0.0))
            self._advance()

    def _advance(self) -> None:
        if not self.clock().ended:
            self.position += 1
            self.venue.show(board_at(self.tape, self.position))


def board_at(tape: Tape, row: int) -> QuoteBoard:
    """The tape's quotes in row `row`; coins that are not quoted there are left out."""
    frame = tape.frame
    quotes = {
        frame.coins[c]: Quote(
            frame.coins[c],
            bid_aud=from_grid(float(frame.bid[row, c])),
            ask_aud=from_grid(float(frame.ask[row, c])),
            last_aud=from_grid(float(frame.last[row, c])),
        )
        for c in np.flatnonzero(~np.isnan(frame.bid[row]))
    }
    return QuoteBoard(as_datetime(frame.times[row]), quotes)
