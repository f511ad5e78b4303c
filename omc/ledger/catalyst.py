"""The catalyst ledger: what happened that may move a coin's price, each with the moment from which we knew of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from omc.errors import InvalidInput
from omc.market.coin import ticker

LONGEST_TYPE, LONGEST_SOURCE, LONGEST_ID, LONGEST_TITLE, LONGEST_URL = 50, 50, 255, 1_000, 2_000
PRIORITIES = ("low", "normal", "high", "critical")
"""The more urgent, the later."""


@dataclass(frozen=True, slots=True)
class Catalyst:
    """One event as one source tells it. `coins` are those that it is about; none are the whole market. A source that
    corrects itself makes another revision, and both stay."""

    type: str
    title: str
    coins: tuple[str, ...]
    source: str
    source_id: str
    event_time: datetime
    """When it happened, or is to happen."""
    seen_time: datetime
    """From when on we could have acted on it."""
    priority: str = "normal"
    url: str | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        for name, value, most in (
            ("type", self.type, LONGEST_TYPE),
            ("title", self.title, LONGEST_TITLE),
            ("source", self.source, LONGEST_SOURCE),
            ("source_id", self.source_id, LONGEST_ID),
            ("url", self.url or "-", LONGEST_URL),
        ):
            if not 0 < len(value) <= most or not value.isprintable():
                raise InvalidInput(
                    f"a catalyst's {name} must be a line of at most {most} characters, not {value[:80]!r}"
                )
        if self.priority not in PRIORITIES:
            raise InvalidInput(f"a catalyst's priority is {', '.join(PRIORITIES)}, not {self.priority[:80]!r}")
        if any(coin != ticker(coin) for coin in self.coins):
            raise InvalidInput(f"a catalyst's coins are tickers such as BTC, not {', '.join(self.coins)[:80]!r}")
        if self.revision < 0:
            raise InvalidInput(f"a catalyst's revision counts from 0, not {self.revision}")
        for name, instant in (("event_time", self.event_time), ("seen_time", self.seen_time)):
            if instant.tzinfo is None:
                raise InvalidInput(f"a catalyst's {name} needs a time zone")

    @property
    def name(self) -> tuple[str, str, int]:
        return self.source, self.source_id, self.revision


class CatalystLedger(Protocol):
    """Append-only: what was recorded stays as it was known."""

    async def record(self, events: Sequence[Catalyst]) -> int:
        """Keep those that are not known by source, id and revision; how many they were."""
        ...

    async def seen(self, after: datetime, until: datetime) -> list[Catalyst]:
        """Those that became known after `after`, up to `until`, oldest first."""
        ...


@dataclass(slots=True)
class MemoryCatalysts:
    """A CatalystLedger that lives and dies with the process."""

    events: dict[tuple[str, str, int], Catalyst] = field(default_factory=dict)

    async def record(self, events: Sequence[Catalyst]) -> int:
        before = len(self.events)
        for each in events:
            self.events.setdefault(each.name, each)
        return len(self.events) - before

    async def seen(self, after: datetime, until: datetime) -> list[Catalyst]:
        found = [each for each in self.events.values() if after < each.seen_time <= until]
        return sorted(found, key=lambda each: (each.seen_time, each.name))
