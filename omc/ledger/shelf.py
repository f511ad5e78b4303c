"""What the four ledgers hold, newest first, for people; algorithms see it through `omc/feature/as_of.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, Protocol

from omc.feature.table import Schema

Ledger = Literal["glass", "human", "catalyst", "exchange"]

_OBSERVED: Schema = {"event_at": "time", "observed_at": "time", "source": "text"}
_REVISED: Schema = {**_OBSERVED, "published_at": "time", "revision": "whole"}
SCHEMAS: Mapping[Ledger, Schema] = MappingProxyType(
    {
        "glass": {**_REVISED, "protocol": "text", "chain": "text", "metric": "text", "value": "number"},
        "human": {
            **_REVISED,
            "kind": "text",
            "source_id": "text",
            "title": "text",
            "url": "text",
            "coins": "texts",
            "sentiment_score": "number",
            "sentiment_label": "text",
        },
        "catalyst": {
            **_REVISED,
            "type": "text",
            "priority": "text",
            "source_id": "text",
            "title": "text",
            "url": "text",
            "coins": "texts",
        },
        "exchange": {**_OBSERVED, "coin": "text", "bid": "money", "ask": "money", "last": "money"},
    }
)
"""What a record of each ledger says. `event_at` is when it happened, `observed_at` from when on we could have acted on
it. A source that corrects itself makes another revision, and all of them stay."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands among those of its ledger: when it was observed, and a name that no other has then."""

    time: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `values` are by the ledger's schema, in its order."""

    place: Place
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Records that all of it is true of; None lets everything through."""

    about: str | None = None
    """A coin that it names; of the glass ledger, the protocol."""
    source: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    """When it was observed: from `start` to `end`, both included."""


class LedgerShelf(Protocol):
    """Reads what is recorded. Records are added, never changed and never taken away."""

    async def newest(
        self, ledger: Ledger, wanted: Wanted, before: Place | None, offset: int, most: int
    ) -> Sequence[Record]:
        """At most `most` records older than `before`, the newest first, `offset` of them left out."""
        ...

    async def count(self, ledger: Ledger, wanted: Wanted, most: int) -> int:
        """How many there are, counted as far as `most`."""
        ...


@dataclass(slots=True)
class MemoryShelf:
    """A LedgerShelf of the records that it is given."""

    records: dict[Ledger, list[Record]] = field(default_factory=dict)

    async def newest(
        self, ledger: Ledger, wanted: Wanted, before: Place | None, offset: int, most: int
    ) -> Sequence[Record]:
        older = [each for each in self._of(ledger, wanted) if before is None or _order(each.place) < _order(before)]
        return sorted(older, key=lambda each: _order(each.place), reverse=True)[offset : offset + most]

    async def count(self, ledger: Ledger, wanted: Wanted, most: int) -> int:
        return min(most, len(self._of(ledger, wanted)))

    def _of(self, ledger: Ledger, wanted: Wanted) -> list[Record]:
        return [each for each in self.records.get(ledger, []) if _fits(ledger, each, wanted)]


def _order(place: Place) -> tuple[datetime, str]:
    return place.time, place.name


def _fits(ledger: Ledger, record: Record, wanted: Wanted) -> bool:
    values = record.values
    about = {"glass": [values.get("protocol")], "exchange": [values.get("coin")]}.get(ledger, values.get("coins"))
    return (
        (wanted.about is None or wanted.about in (about or ()))
        and (wanted.source is None or wanted.source == values["source"])
        and (wanted.start is None or wanted.start <= record.place.time)
        and (wanted.end is None or record.place.time <= wanted.end)
    )
