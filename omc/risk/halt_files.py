"""Halts that need no database: whoever can write a file can stop the platform, and whoever sends orders looks there."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from omc.risk.kill_switch import Halt, kept

Place = tuple[UUID | None, UUID | None]
PLATFORM: Place = None, None


@dataclass(frozen=True, slots=True)
class ResetAsked:
    """Whoever may write to the machine's own folder asks that the platform's halt ends: the one that held at `at`, and
    none that was tripped later."""

    by: str
    reason: str
    at: datetime
    mark: str | None = None
    """Names the files that were there then; None when there were none."""


class HaltFiles(Protocol):
    """Looked at right before the bytes of an order leave, so it is quick and asks nobody."""

    def on(self) -> list[Halt]:
        """Every halt that is there now. What is there and cannot be read halts as far as can be told, and the whole
        platform where nothing can."""
        ...

    async def trip(self, halt: Halt) -> Halt:
        """Durable when it returns; the first halt of a place is kept, unless this one stops more. Unavailable when it
        cannot be written."""
        ...

    def mark(self, place: Place) -> str | None:
        """Names what is there for that place: tripping again, by whomever, changes it. None when nothing is."""
        ...

    def nothing_but(self, place: Place, mark: str | None) -> bool:
        """Whether nothing is there for that place but what `mark` names, or part of it."""
        ...

    async def reset(self, place: Place, mark: str) -> bool:
        """Take away what `mark` names; False when something else is there by now. Unavailable when it stays."""
        ...

    def reset_asked(self) -> ResetAsked | None: ...

    async def reset_done(self, still: str) -> None:
        """Forget what was asked, and tell whoever asked what halts the platform all the same; empty when nothing
        does."""
        ...


@dataclass(slots=True)
class MemoryHaltFiles:
    """HaltFiles that live and die with the process."""

    kept: dict[Place, Halt] = field(default_factory=dict)
    asked: ResetAsked | None = None
    still: str = ""
    """What was told to whoever asked last."""
    _marks: dict[Place, int] = field(default_factory=dict)

    def on(self) -> list[Halt]:
        return list(self.kept.values())

    async def trip(self, halt: Halt) -> Halt:
        self._marks[halt.place] = self._marks.get(halt.place, 0) + 1
        self.kept[halt.place] = kept(self.kept.get(halt.place), halt)
        return self.kept[halt.place]

    def mark(self, place: Place) -> str | None:
        return str(self._marks.get(place, 0)) if place in self.kept else None

    def nothing_but(self, place: Place, mark: str | None) -> bool:
        return self.mark(place) in (None, mark)

    async def reset(self, place: Place, mark: str) -> bool:
        if not self.nothing_but(place, mark):
            return False
        self.kept.pop(place, None)
        return True

    def reset_asked(self) -> ResetAsked | None:
        return self.asked

    async def reset_done(self, still: str) -> None:
        self.asked, self.still = None, still
