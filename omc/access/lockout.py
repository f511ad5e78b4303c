"""How guessing is slowed down: the more attempts in a row have failed, the longer the next one has to wait.

An attempt is counted before it is made, so that many at once are no way around it, and what it counted is given back
when it succeeds. It counts for the account that it names, whether or not there is one, and for the address that it
comes from; from an address that the account's owner has come in from, for that pair alone, so that strangers who guess
at an account cannot keep its owner out.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Protocol, Self

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
KNOWN_FOR = timedelta(days=90)
"""How long an address stays known to an account that nobody comes in from it to."""
_AT_ONCE = timedelta(0)
_NETWORK_BITS = 64


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double, from `first` after `free` failures in a row, and never exceed `longest`. After
    `forgotten_after` without an attempt it begins anew."""

    free: int
    first: timedelta
    longest: timedelta
    forgotten_after: timedelta

    def wait(self, failures: int) -> timedelta:
        """Before the next attempt, after so many failures in a row."""
        if failures < self.free:
            return _AT_ONCE
        # Beyond this many any wait has become the longest, and no number grows without bound.
        doublings = min(failures - self.free, 40)
        return min(self.longest, self.first * 2**doublings)


class Place(StrEnum):
    """What failures are counted at."""

    ACCOUNT = "account"
    """From strangers' addresses."""
    KNOWN = "known"
    """Of one account, from one address that its owner has come in from."""
    ADDRESS = "address"

    @property
    def backoff(self) -> Backoff:
        return _BACKOFFS[self]


_QUARTER, _DAY = timedelta(minutes=15), timedelta(days=1)
_BACKOFFS: Mapping[Place, Backoff] = {
    Place.ACCOUNT: Backoff(free=5, first=timedelta(seconds=2), longest=_QUARTER, forgotten_after=_DAY),
    Place.KNOWN: Backoff(free=5, first=timedelta(seconds=2), longest=_QUARTER, forgotten_after=_DAY),
    # Many people may share one, and many come in at once.
    Place.ADDRESS: Backoff(free=100, first=timedelta(seconds=2), longest=_QUARTER, forgotten_after=_DAY),
}
FORGOTTEN_AFTER = max(each.forgotten_after for each in _BACKOFFS.values())


@dataclass(frozen=True, slots=True)
class Tries:
    """What is remembered of a place: failures in a row, an attempt under way among them."""

    failures: int = 0
    last_at: datetime = NEVER
    blocked_until: datetime = NEVER

    def left(self, backoff: Backoff, now: datetime) -> timedelta:
        """How long the next attempt has to wait: never longer than the longest wait, whatever a clock did."""
        if now - self.last_at >= backoff.forgotten_after:
            return _AT_ONCE
        return min(backoff.longest, max(_AT_ONCE, self.blocked_until - now))

    def counted(self, backoff: Backoff, now: datetime) -> Self:
        """With one more attempt, made now."""
        before = 0 if now - self.last_at >= backoff.forgotten_after else self.failures
        return replace(self, failures=before + 1, last_at=now, blocked_until=now + backoff.wait(before + 1))

    def given_back(self, backoff: Backoff) -> Self:
        """Without one of its attempts, which has succeeded."""
        failures = max(0, self.failures - 1)
        until = min(self.blocked_until, self.last_at + backoff.wait(failures))
        return replace(self, failures=failures, blocked_until=until)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries to prove who they are. By digests: whose address it was shows in no table and no log."""

    account: str
    address: str

    @classmethod
    def at(cls, door: str, who: str, address: str) -> Self:
        """At one of our doors, such as login, by the name that is given there."""
        return cls(_digest(f"{door}\0{who.strip().lower()}"), _digest(network_of(address)))

    def keys(self, *, known: bool) -> dict[str, Place]:
        """Where it is counted, by what each place is kept under; in the order in which they are locked."""
        if known:
            return {f"{Place.KNOWN}:{self.account}:{self.address}": Place.KNOWN}
        return {
            f"{Place.ACCOUNT}:{self.account}": Place.ACCOUNT,
            f"{Place.ADDRESS}:{self.address}": Place.ADDRESS,
        }


def network_of(address: str) -> str:
    """What counts as one address: of the sixth version a network of 64 bits, because its holder has all of it."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), _NETWORK_BITS), strict=False))


@dataclass(frozen=True, slots=True)
class Admitted:
    """An attempt that may be made, and has been counted: for its account and its address, or for the pair that is
    `known`."""

    attempt: Attempt
    known: bool

    @property
    def keys(self) -> dict[str, Place]:
        return self.attempt.keys(known=self.known)


@dataclass(frozen=True, slots=True)
class Blocked:
    """An attempt that has to wait, and was not counted."""

    left: timedelta


def longest_left(places: Mapping[str, Place], tries: Mapping[str, Tries], now: datetime) -> timedelta:
    """How long an attempt has to wait that is counted at all of these places."""
    return max(tries[key].left(place.backoff, now) for key, place in places.items())


def succeeded(place: Place, tries: Tries) -> Tries | None:
    """What is left at a place of an attempt that succeeded; None for nothing. An address keeps its other failures: one
    who guesses there could clear them by coming in to an account of their own."""
    return tries.given_back(place.backoff) if place is Place.ADDRESS else None


class LockoutStore(Protocol):
    """Counts attempts, exactly, however many processes ask at once."""

    async def begin(self, attempt: Attempt, now: datetime) -> Admitted | Blocked:
        """Count an attempt that is about to be made. With the same work, whether or not there is such an account."""
        ...

    async def succeeded(self, admitted: Admitted, now: datetime) -> None:
        """It did: what the account had against it is forgotten, and the address is known to the account."""
        ...


@dataclass(slots=True)
class MemoryLockoutStore:
    """A LockoutStore that lives and dies with the process. It awaits nothing between looking and changing."""

    tries: dict[str, Tries] = field(default_factory=dict)
    known: dict[tuple[str, str], datetime] = field(default_factory=dict)

    async def begin(self, attempt: Attempt, now: datetime) -> Admitted | Blocked:
        admitted = Admitted(attempt, self._knows(attempt, now))
        found = {key: self.tries.get(key, Tries()) for key in admitted.keys}
        if left := longest_left(admitted.keys, found, now):
            return Blocked(left)
        self.tries |= {key: found[key].counted(place.backoff, now) for key, place in admitted.keys.items()}
        return admitted

    async def succeeded(self, admitted: Admitted, now: datetime) -> None:
        for key, place in admitted.keys.items():
            left = succeeded(place, self.tries.pop(key, Tries()))
            if left is not None:
                self.tries[key] = left
        self.known[admitted.attempt.account, admitted.attempt.address] = now

    def _knows(self, attempt: Attempt, now: datetime) -> bool:
        since = self.known.get((attempt.account, attempt.address))
        return since is not None and now - since < KNOWN_FOR


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
