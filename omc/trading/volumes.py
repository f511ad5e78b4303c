"""What was traded in a coin's market, and how that is spread over the day: what volume-weighted slices follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from omc.market.money import ZERO

STRETCH = timedelta(minutes=5)
"""Volumes are kept by stretches of so long."""
DAYS = 14
"""How many days a day's spread is learned from."""
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Traded:
    """One trade of a market, whoever made it."""

    at: datetime
    quantity: Decimal


class TradeSource(Protocol):
    """A venue's public list of trades."""

    async def newest(self, coin: str) -> Sequence[Traded]:
        """As many as it shows, in any order. Unavailable when it does not answer."""
        ...


class Volumes(Protocol):
    """The volumes that were seen."""

    async def add(self, coin: str, trades: Sequence[Traded]) -> int:
        """Count those that are newer than whatever was counted before; how many they were. A list may be handed in
        again and again. Of two trades in one and the same moment, one that is listed later than the other is not
        counted: trades have no names."""
        ...

    async def recent(self, coin: str, until: datetime) -> Sequence[tuple[datetime, Decimal]]:
        """How much of a coin was traded in stretches that were over by `until`, of the `DAYS` before it, those of one
        time of day together: when the newest of them began, and how much it was, oldest first. Nothing where nobody
        knows."""
        ...


def stretch_of(instant: datetime) -> datetime:
    """When the stretch began."""
    return instant - (instant - _EPOCH) % STRETCH


def by_stretch(trades: Iterable[Traded]) -> dict[datetime, Decimal]:
    found: dict[datetime, Decimal] = {}
    for each in trades:
        began = stretch_of(each.at)
        found[began] = found.get(began, ZERO) + each.quantity
    return found


def by_time_of_day(stretches: Mapping[datetime, Decimal], until: datetime) -> list[tuple[datetime, Decimal]]:
    """As `Volumes.recent` has them."""
    newest: dict[timedelta, datetime] = {}
    whole: dict[timedelta, Decimal] = {}
    for began, quantity in sorted(stretches.items()):
        if until - DAYS * _DAY <= began <= until - STRETCH:
            time = (began - _EPOCH) % _DAY
            newest[time] = began
            whole[time] = whole.get(time, ZERO) + quantity
    return sorted((newest[time], quantity) for time, quantity in whole.items())


@dataclass(slots=True)
class MemoryVolumes:
    """A Volumes that lives and dies with the process."""

    stretches: dict[str, dict[datetime, Decimal]] = field(default_factory=dict)
    _newest: dict[str, datetime] = field(default_factory=dict)

    async def add(self, coin: str, trades: Sequence[Traded]) -> int:
        last = self._newest.get(coin)
        fresh = [each for each in trades if last is None or each.at > last]
        if fresh:
            kept = self.stretches.setdefault(coin, {})
            for began, quantity in by_stretch(fresh).items():
                kept[began] = kept.get(began, ZERO) + quantity
            self._newest[coin] = max(each.at for each in fresh)
        return len(fresh)

    async def recent(self, coin: str, until: datetime) -> Sequence[tuple[datetime, Decimal]]:
        return by_time_of_day(self.stretches.get(coin, {}), until)
