"""Decisions bar after bar, for as long as a trader sits: one way to ask, whoever decides.

Most algorithms are asked about the whole window that they remember, again and again. One that lives elsewhere, as
people's code does, holds that window itself: it is handed all of it once, and then each bar as it comes. The window is
kept here as well, so that one that missed a bar, for whatever reason, begins again from what it should have seen.
"""

from datetime import datetime
from typing import Protocol, runtime_checkable

import numpy as np

from omc.errors import CodeFailed, InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.strategy.algorithm import Algorithm
from omc.trading.exits import Exits
from omc.trading.window import Window

MOST_MEMORY_BARS = 1_000_000
"""What one decision may look back: ten years of bars."""
MOST_CELLS = 3_000_000
"""Bars that it looks back, times coins. Each is held several times over, in numbers of eight bytes: of more, nobody
could try anything out, and a trader would hold gigabytes."""


def kept_bars(algorithm: Algorithm, coins: int) -> int:
    """How many bars of as many coins are kept for it, 1 or more; InvalidInput when it wants too many."""
    bars, most = algorithm.memory_bars, min(MOST_MEMORY_BARS, MOST_CELLS // coins)
    if bars > most:
        of = "1 coin" if coins == 1 else f"{coins} coins"
        raise InvalidInput(f"it looks back {bars:,} bars: at most {most:,} are kept on the floor of {of}")
    return max(1, bars)


@runtime_checkable
class Follower(Protocol):
    """An algorithm that holds its window itself."""

    def begin(self, tail: Frame) -> FloatArray:
        """Weights, (C,), of the last bar of `tail`."""
        ...

    def decide_next(self, time: datetime, bid: FloatArray, ask: FloatArray, last: FloatArray) -> FloatArray:
        """Weights, (C,), of the bar after the last that it was handed."""
        ...

    def take_printed(self) -> str:
        """What it has printed since this was last asked."""
        ...


class Decider:
    """One algorithm, which it closes, and the bars that it remembers. It may block: not for an event loop.

    Faults are those of `Sandbox`; a built-in that raises anything is CodeFailed, too, as asking again would not help.
    """

    def __init__(self, algorithm: Algorithm, coins: int) -> None:
        """InvalidInput when it remembers more than is kept of as many coins. It is closed then, as after any fault
        here."""
        try:
            self.memory_bars = kept_bars(algorithm, coins)
            self.exits: Exits = algorithm.exits
        except BaseException:
            algorithm.close()
            raise
        self._algorithm = algorithm
        self._follower = algorithm if isinstance(algorithm, Follower) else None
        self._window: Window | None = None
        self._behind: int | None = None
        """Bars that the follower was not handed yet; None when it must begin."""

    def recall(self, tail: Frame) -> None:
        """Begin anew, with the last bars of `tail`."""
        self._window, self._behind = Window(tail, self.memory_bars), None

    def follows(self, time: datetime) -> bool:
        """Whether a bar of `time` is surely the one after the last that is held."""
        return self._window is not None and self._window.follows(time)

    def append(self, time: datetime, bid: FloatArray, ask: FloatArray, last: FloatArray) -> None:
        """The next bar, (C,) prices each."""
        self._held.append(time, bid, ask, last)
        self._behind = None if self._behind is None else self._behind + 1

    def decide(self) -> FloatArray:
        """Weights, (C,) float64, of the last bar that is held: any numbers, from a built-in."""
        return self._ask(self._held.frame()) if self._follower is None else self._follow(self._follower)

    def take_printed(self) -> str:
        """What its code has printed since this was last asked, as far as that is kept."""
        return "" if self._follower is None else self._follower.take_printed()

    def close(self) -> None:
        """Leave nothing behind."""
        self._algorithm.close()

    @property
    def _held(self) -> Window:
        if self._window is None:
            raise ValueError("there is no bar to decide on: nothing was recalled yet")
        return self._window

    def _follow(self, follower: Follower) -> FloatArray:
        behind, self._behind, frame = self._behind, None, self._held.frame()
        if behind == 1:
            weights = follower.decide_next(frame.time(-1), frame.bid[-1], frame.ask[-1], frame.last[-1])
        else:
            weights = follower.begin(frame)
        self._behind = 0
        return weights

    def _ask(self, frame: Frame) -> FloatArray:
        try:
            return np.asarray(self._algorithm.predict(frame), dtype=np.float64)[-1]
        except Exception as error:
            raise CodeFailed(f"{type(error).__name__}: {error}") from error
