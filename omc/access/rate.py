"""How often somebody may ask: a burst at once, and then as fast as it comes back.

Of each key one moment is kept, at which all that it has asked for is made up for (the generic cell rate algorithm).
Every request moves it on by the time that one request is worth, and it may never lie further ahead than the burst is
worth. All of it in whole microseconds, so that it comes to the same here and in a database.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from omc.clock import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a minute, and so many at once."""

    per_minute: int
    burst: int

    def __post_init__(self) -> None:
        if not (1 <= self.per_minute <= _MINUTE_US and self.burst >= 1):
            raise ValueError(f"{self.per_minute} a minute and {self.burst} at once are no rate")

    @property
    def every_us(self) -> int:
        """What one request is worth."""
        return _MINUTE_US // self.per_minute

    @property
    def burst_us(self) -> int:
        return self.burst * self.every_us


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request is charged to: an account, a token, an address."""

    key: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands after a request."""

    charge: Charge
    lag_us: int
    """Until its whole burst is there again."""

    @property
    def remaining(self) -> int:
        """Requests that it could make now."""
        return max(self.charge.rate.burst_us - self.lag_us, 0) // self.charge.rate.every_us

    @property
    def wait_us(self) -> int:
        """Until it may ask once more; 0 when it may now."""
        rate = self.charge.rate
        return max(self.lag_us + rate.every_us - rate.burst_us, 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is let in, and how its keys stand: charged for it, or as they were when it is not."""

    allowed: bool
    standings: tuple[Standing, ...]

    @property
    def tightest(self) -> Standing:
        """Of the key that a caller meets first."""
        return min(self.standings, key=lambda each: (each.remaining / each.charge.rate.burst, -each.wait_us))


class RateStore(Protocol):
    async def take(self, charges: Sequence[Charge]) -> Verdict:
        """Charge one request to all of its keys, or to none of them when one has no room. Keys are different."""
        ...

    async def forget(self) -> None:
        """Drop keys that have asked for nothing in a while, and stand as if they never had."""
        ...


def decide(charges: Sequence[Charge], made_up_us: Sequence[int], now_us: int) -> tuple[Verdict, list[int]]:
    """The verdict on a request of keys whose moments are `made_up_us`, and their moments after it."""
    before = [Standing(charge, max(moment - now_us, 0)) for charge, moment in zip(charges, made_up_us, strict=True)]
    if any(each.remaining < 1 for each in before):
        return Verdict(False, tuple(before)), list(made_up_us)
    after = [Standing(each.charge, each.lag_us + each.charge.rate.every_us) for each in before]
    return Verdict(True, tuple(after)), [now_us + each.lag_us for each in after]


def microseconds(instant: datetime) -> int:
    """Since 1970, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


@dataclass(slots=True)
class MemoryRates:
    """A RateStore of one process. It forgets who was quiet the longest rather than grow."""

    clock: Clock
    most: int = 10_000
    _made_up_us: OrderedDict[str, int] = field(default_factory=OrderedDict)

    async def take(self, charges: Sequence[Charge]) -> Verdict:
        now_us = microseconds(self.clock.now())
        moments = [self._made_up_us.get(charge.key, 0) for charge in charges]
        verdict, moved = decide(charges, moments, now_us)
        for charge, moment in zip(charges, moved, strict=True):
            self._made_up_us[charge.key] = moment
            self._made_up_us.move_to_end(charge.key)
        while len(self._made_up_us) > self.most:
            self._made_up_us.popitem(last=False)
        return verdict

    async def forget(self) -> None:
        now_us = microseconds(self.clock.now())
        for key in [key for key, moment in self._made_up_us.items() if moment < now_us]:
            del self._made_up_us[key]
