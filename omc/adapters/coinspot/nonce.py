"""A number for every private request, each higher than the one before, across restarts.

A later nonce that the venue accepted proves that an earlier request, which it never answered, can never be executed.
That holds for requests that have a nonce: a sender that stood still before it took one would wake up with a later one
still. So whoever sends an order takes its nonce under its lease, and none when that lease was taken by another.
"""

from dataclasses import dataclass, field
from typing import Protocol

from omc.errors import StaleLease
from omc.trading.lease import Lease, LeaseStore, MemoryLeaseStore


class NonceStore(Protocol):
    async def next(self, account: str, now_ms: int, sender: Lease | None = None) -> int:
        """max(now_ms, the account's last + 1), durable before it returns. StaleLease when `sender` is not in force. For
        a `sender` that wrote ahead a moment ago it may be the one that was drawn with that, under the same lease, if
        none was given out since: whoever has taken the lease meanwhile has a higher one for whatever it asks."""
        ...


@dataclass(slots=True)
class MemoryNonces:
    """A NonceStore that lives and dies with the process."""

    last: dict[str, int] = field(default_factory=dict)
    leases: LeaseStore = field(default_factory=MemoryLeaseStore)

    async def next(self, account: str, now_ms: int, sender: Lease | None = None) -> int:
        if sender is not None and await self.leases.current(sender.name) != sender.epoch:
            raise StaleLease(f"the lease {sender.name} of epoch {sender.epoch} was taken by another")
        self.last[account] = max(now_ms, self.last.get(account, 0) + 1)
        return self.last[account]
