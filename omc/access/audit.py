"""What was asked of an account, by whom and what came of it, each entry chained to the one before.

An entry's hash covers all of it and the hash before it, so nothing in a chain can be changed, left out, moved or
doubled without every later hash being wrong. The end of a chain is held against its head, which is kept elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

Detail = str | int | bool | None
"""No float, which does not come back from everywhere as it was."""

CLI, PLATFORM = "cli", "platform"


def user(user_id: UUID) -> str:
    """The actor that a person is, signed in by password."""
    return f"user:{user_id}"


def token(token_id: UUID) -> str:
    """The actor that a program is, which asks by an API token."""
    return f"token:{token_id}"


@dataclass(frozen=True, slots=True)
class Happening:
    """What is to be written. It holds no secret: neither what was sent nor what was answered."""

    account: UUID
    at: datetime
    actor: str
    """`user:…`, `token:…`, `cli` or `platform`."""
    action: str
    """Such as `auth.log_in`."""
    subject: str = ""
    """What it was done to: the path that was asked for."""
    details: Mapping[str, Detail] = field(default_factory=dict)
    address: str = ""
    request_id: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, in the one way that it can be written down."""
        told = [
            str(self.account),
            self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            self.actor,
            self.action,
            self.subject,
            dict(self.details),
            self.address,
            self.request_id,
        ]
        return _sha256(json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True))


@dataclass(frozen=True, slots=True)
class Link:
    """The place where a chain can be gone on from."""

    seq: int
    hash: str


GENESIS = Link(0, "0" * 64)


@dataclass(frozen=True, slots=True)
class Entry:
    """A happening in its place. `seq` rises by one for each entry of its account."""

    happening: Happening
    seq: int
    previous: str
    hash: str

    @classmethod
    def after(cls, link: Link, happening: Happening) -> Self:
        seq = link.seq + 1
        return cls(happening, seq, link.hash, chained(link.hash, seq, happening.digest))

    @property
    def link(self) -> Link:
        return Link(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Where a chain is first not what it was when it was written."""

    account: UUID
    seq: int
    what: str

    def __str__(self) -> str:
        return f"account {self.account}, entry {self.seq}: {self.what}"


def chained(previous: str, seq: int, digest: str) -> str:
    """The hash of an entry. Stores compute the same in their own language."""
    return _sha256(f"{previous}|{seq}|{digest}")


def follow(account: UUID, link: Link, entry: Entry) -> Link | Flaw:
    """From `link` over `entry`, or what is wrong with it."""
    due = link.seq + 1
    if entry.happening.account != account:
        return Flaw(account, due, "it is of another account")
    if entry.seq <= GENESIS.seq:
        return Flaw(account, entry.seq, "no chain has this place: somebody has put it there")
    if entry.seq != due:
        return Flaw(account, due, f"it is missing: the next one is {entry.seq}" if entry.seq > due else "it is doubled")
    if entry.previous != link.hash:
        return Flaw(account, due, "it does not follow the entry before it")
    if entry.hash != chained(entry.previous, entry.seq, entry.happening.digest):
        return Flaw(account, due, "it was changed")
    return entry.link


def ending(account: UUID, link: Link, head: Link) -> Flaw | None:
    """Whether the chain that was followed to `link` ends where its head says."""
    if link.seq < head.seq:
        return Flaw(account, link.seq + 1, f"it is missing, and all after it: the head is at {head.seq}")
    if link.seq > head.seq:
        return Flaw(account, head.seq + 1, "it is not known to the head of its chain")
    return None if link == head else Flaw(account, head.seq, "the head of its chain has another hash")


def verify(account: UUID, entries: Iterable[Entry], head: Link) -> Flaw | None:
    """The first flaw of a whole chain."""
    link = GENESIS
    for entry in entries:
        match follow(account, link, entry):
            case Flaw() as flaw:
                return flaw
            case Link() as link:
                pass
    return ending(account, link, head)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
