"""Where orders go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from omc.risk.verdict import Approved
from omc.trading.fill import Fill
from omc.trading.order import OrderIntent


@dataclass(frozen=True, slots=True)
class Placed:
    """The venue took the order. `open` says whether any of it is still working there."""

    venue_order_id: str | None
    fills: tuple[Fill, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue said no, definitely; nothing was executed."""

    message: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The venue has no trace of the order, and a later request has spent its nonce: it can never be executed."""


Placement = Placed | Rejected
Finding = Placed | Absent


class Venue(Protocol):
    """One account at one exchange. Calls are serialized by whoever holds it: one sender a key.

    Every call raises `OutcomeUnknown` when the venue may or may not have acted, and `Unavailable` when it did not.
    """

    async def place(self, approved: Approved) -> Placement:
        """Send an order. What the book cannot fill at once is cancelled; an `Approved` is the only ticket in.

        An order that the venue said it took is `Placed`, whatever fails after that: `open` until its end is known. So
        what is raised leaves it open whether it ever arrived. StaleLease when its sender was replaced: nothing was
        sent.
        """
        ...

    async def find(self, intent: OrderIntent, since: datetime, known: frozenset[str]) -> Finding:
        """What became of an order whose answer was lost; `known` are fill ids that other orders own.

        Raises `OutcomeUnknown` when more than one execution could be this order's.
        """
        ...

    async def cancel_all(self) -> int:
        """Cancel every open order of this account; how many there were."""
        ...

    async def balances(self) -> Mapping[str, Decimal]:
        """What is held, by coin; cash is under "AUD". Coins with nothing held may be left out."""
        ...
