"""Where the audit trail is kept: chains that only grow, one for each account."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from omc.access.audit import GENESIS, Entry, Flaw, Happening, Link, ending, follow


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries of an account are looked for: all that nothing here excludes. Both ends of the time count."""

    account: UUID
    action: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class Standstill(Protocol):
    """The whole trail as it was at one moment."""

    async def heads(self) -> Mapping[UUID, Link]:
        """By account. One that has entries and no head has GENESIS here."""
        ...

    def chain(self, account: UUID) -> AsyncIterator[Entry]:
        """Oldest first."""
        ...


class AuditTrail(Protocol):
    """Entries outlive the account that they are about."""

    async def append(self, happening: Happening) -> Link:
        """At the end of its account's chain, however many append at once; the new end."""
        ...

    async def page(self, sought: Sought, limit: int, offset: int) -> tuple[list[Entry], int]:
        """Newest first, and how many there are in all."""
        ...

    def standstill(self) -> AbstractAsyncContextManager[Standstill]: ...


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found of all chains."""

    heads: Mapping[UUID, Link]
    entries: int
    flaws: tuple[Flaw, ...]
    """The first of each chain."""


async def verify_all(trail: AuditTrail, kept: Mapping[UUID, Link] | None = None) -> Verification:
    """Follow every chain from its beginning to its head, and through the heads that somebody has `kept` elsewhere:
    whoever can write the whole store can write a chain anew, but not what others hold."""
    flaws, entries = list[Flaw](), 0
    elsewhere = dict(kept or {})
    async with trail.standstill() as still:
        heads = await still.heads()
        for account in sorted({*heads, *elsewhere}):
            flaw, length = await _followed(still, account, heads.get(account, GENESIS), elsewhere.get(account))
            entries += length
            flaws += [flaw] if flaw else []
    return Verification(heads, entries, tuple(flaws))


async def _followed(still: Standstill, account: UUID, head: Link, kept: Link | None) -> tuple[Flaw | None, int]:
    link = GENESIS
    async for entry in still.chain(account):
        match follow(account, link, entry):
            case Flaw() as flaw:
                return flaw, link.seq
            case Link() as link:
                pass
        if kept and link.seq == kept.seq and link != kept:
            return Flaw(account, link.seq, "its hash is not the one that was kept elsewhere"), link.seq
    if kept and link.seq < kept.seq:
        return Flaw(account, link.seq + 1, f"it is missing: a head kept elsewhere is at {kept.seq}"), link.seq
    return ending(account, link, head), link.seq


@dataclass(slots=True)
class MemoryAuditTrail:
    """An AuditTrail that lives and dies with the process."""

    chains: dict[UUID, list[Entry]] = field(default_factory=dict)

    async def append(self, happening: Happening) -> Link:
        chain = self.chains.setdefault(happening.account, [])
        chain.append(Entry.after(chain[-1].link if chain else GENESIS, happening))
        return chain[-1].link

    async def page(self, sought: Sought, limit: int, offset: int) -> tuple[list[Entry], int]:
        found = [each for each in reversed(self.chains.get(sought.account, [])) if _is_sought(sought)(each.happening)]
        return found[offset : offset + limit], len(found)

    @asynccontextmanager
    async def standstill(self) -> AsyncIterator[Standstill]:
        yield MemoryStandstill({account: tuple(chain) for account, chain in self.chains.items()})


@dataclass(frozen=True, slots=True)
class MemoryStandstill:
    """A Standstill of what it is given."""

    chains: Mapping[UUID, tuple[Entry, ...]]

    async def heads(self) -> Mapping[UUID, Link]:
        return {account: chain[-1].link for account, chain in self.chains.items()}

    async def chain(self, account: UUID) -> AsyncIterator[Entry]:
        for entry in self.chains.get(account, ()):
            yield entry


def _is_sought(sought: Sought) -> Callable[[Happening], bool]:
    def is_sought(happening: Happening) -> bool:
        return (
            sought.action in (None, happening.action)
            and (sought.start is None or happening.at >= sought.start)
            and (sought.end is None or happening.at <= sought.end)
        )

    return is_sought
