"""The right to act, held by one at a time.

Ray fences nothing: a node declared dead may still run its actors. So whoever trades takes a lease, whose epoch rises
with each taking, and an order that carries an old epoch is refused where orders are sent.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    """`risk:0`, or a trader's name."""
    epoch: int


class LeaseStore(Protocol):
    async def take(self, name: str, holder: str) -> Lease:
        """Take the lease from whoever had it: its epoch rises by one."""
        ...

    async def current(self, name: str) -> int:
        """The epoch in force; 0 when nobody ever took it."""
        ...


@dataclass(slots=True)
class MemoryLeaseStore:
    """A LeaseStore that lives and dies with the process."""

    epochs: dict[str, int] = field(default_factory=dict)

    async def take(self, name: str, holder: str) -> Lease:
        self.epochs[name] = self.epochs.get(name, 0) + 1
        return Lease(name, self.epochs[name])

    async def current(self, name: str) -> int:
        return self.epochs.get(name, 0)
