"""Whether the clock that stamps boards goes as time does: it may be set, or be wrong for a moment, and jump.

What is stored, and decided, under a wrong time cannot be taken back, so a jump is believed only when it has lasted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(seconds=30)
LASTS_S: Final = 60.0
"""How long a clock must go on from where it jumped to before that is what the time is."""


@dataclass(slots=True)
class Timeline:
    """One clock's readings beside seconds of a counter that nobody sets."""

    _believed: tuple[datetime, float] | None = None
    _jumped: tuple[datetime, float] | None = None
    """Where it was first seen after a jump that has not lasted yet."""

    def jump(self, time: datetime, elapsed_s: float) -> timedelta | None:
        """How far the clock is ahead of where it should be by what it showed before, behind when negative; None when it
        is where it should be, or has gone on from there for so long that it was set."""
        jump = _drift(self._believed, time, elapsed_s)
        if abs(jump) <= TOLERANCE:
            self._jumped = None
            return None
        if self._jumped is None or abs(_drift(self._jumped, time, elapsed_s)) > TOLERANCE:
            self._jumped = time, elapsed_s
        return None if self.lasted(elapsed_s) else jump

    def lasted(self, elapsed_s: float) -> bool:
        """Whether the clock jumped, and has gone on from there."""
        return self._jumped is not None and elapsed_s - self._jumped[1] >= LASTS_S

    def take(self, time: datetime, elapsed_s: float) -> bool:
        """A reading is believed. True when the clock was set back."""
        set_back = _drift(self._believed, time, elapsed_s) < -TOLERANCE
        self._believed, self._jumped = (time, elapsed_s), None
        return set_back


def _drift(since: tuple[datetime, float] | None, time: datetime, elapsed_s: float) -> timedelta:
    """How much further the clock has gone than the counter."""
    if since is None:
        return timedelta(0)
    return (time - since[0]) - timedelta(seconds=elapsed_s - since[1])
