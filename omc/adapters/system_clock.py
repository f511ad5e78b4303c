"""The wall clock of the machine we run on."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class SystemClock:
    """A Clock for venues that live in our own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)
