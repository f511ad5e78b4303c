"""Time, handed in: the core never asks what time it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Something that knows the time of the market it watches."""

    def now(self) -> datetime:
        """The current time, aware and in UTC."""
        ...


@dataclass(slots=True)
class ManualClock:
    """A Clock that stands still until it is moved."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def advance(self, step: timedelta) -> None:
        self.time += step


def utc(time: datetime) -> datetime:
    """The same instant in UTC; a naive time is refused, because it names no instant."""
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} has no time zone")
    return time.astimezone(UTC)
