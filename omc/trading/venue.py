"""Where orders go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from omc.risk.verdict import Approved
from omc.trading.fill import Fill, Side
from omc.trading.listed import VenueReport
from omc.trading.order import OrderIntent
from omc.trading.refusal import Refusal, named
from omc.trading.routing import Level


@dataclass(frozen=True, slots=True)
class Placed:
    """The venue took the order. `open` says whether any of it still works there, at `price_aud` if that is known."""

    venue_order_id: str | None
    fills: tuple[Fill, ...]
    open: bool
    price_aud: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue said no, definitely; nothing was executed."""

    message: str
    key: bool = False
    """It is the key that it does not take, whatever is asked with it."""

    @property
    def refusal(self) -> Refusal:
        """Which no it is, as far as that can be told."""
        return Refusal.KEY if self.key else named(self.message)


@dataclass(frozen=True, slots=True)
class Absent:
    """The venue lists no trace of the order, and a later request has spent its nonce: nothing more of it can arrive. It
    may have been taken in before that, and not be carried out, or listed, yet."""


Placement = Placed | Rejected
Finding = Placed | Absent


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue offers whoever trades there; None where nobody knows."""

    client_order_ids: bool
    """An order can be given a name of ours, so that sending it twice makes one."""
    order_lookup: bool
    """One order can be asked for by its id."""
    instant_order_ids: bool
    """An instant order is answered with an id."""
    resting_orders: bool
    replace: bool
    """A resting order can be moved to another price without leaving the book."""
    streams: bool
    read_only_keys: bool
    shows_withdrawal_right: bool
    """It says whether a key may withdraw; where it does not, nobody but its owner can know."""


class Venue(Protocol):
    """One account at one exchange. Calls are serialized by whoever holds it: one sender a key.

    Every call raises `OutcomeUnknown` when the venue may or may not have acted, and `Unavailable` when it did not.
    """

    async def place(self, approved: Approved) -> Placement:
        """Send an order; an `Approved` is the only ticket in. What the book cannot fill at once is `Placed` open. It is
        cancelled by its sender, who has written down by then that the venue has it; or by the venue's own means, where
        that takes no second request.

        An order that the venue said it took is `Placed`, whatever fails after that: `open` until its end is known. So
        what is raised leaves it open whether it ever arrived. StaleLease when its sender was replaced: nothing was
        sent.
        """
        ...

    async def find(
        self, intent: OrderIntent, since: datetime, known: frozenset[str], venue_order_id: str | None = None
    ) -> Finding:
        """What became of an order: of one whose answer was lost, or by the id that the venue gave it. `known` are the
        ids of the fills, and of the venue's orders, that other orders own.

        Raises `OutcomeUnknown` when more than one execution could be this order's.
        """
        ...

    async def cancel(self, intent: OrderIntent, venue_order_id: str) -> None:
        """Take one order off the book. VenueRefused when it is not there: it may just have been filled."""
        ...

    async def replace(self, approved: Approved, venue_order_id: str, price_aud: Decimal, new_price_aud: Decimal) -> str:
        """Move an order of the book from its price to another, where it may fill at once; its id from then on.
        VenueRefused when it is not there, or not at that price. StaleLease when its sender was replaced, Halted when
        its gate says so: nothing was sent."""
        ...

    async def cancel_all(self) -> int:
        """Cancel every open order of this account; how many there were."""
        ...

    async def balances(self) -> Mapping[str, Decimal]:
        """What is held, by coin; cash is under "AUD". Coins with nothing held may be left out."""
        ...

    async def unlisted(self, coin: str) -> Decimal | None:
        """What is held back of a coin, or of cash under "AUD", beyond what the open orders that are listed ask for;
        None where the venue does not say what it holds back."""
        ...

    async def book(self, coin: str, side: Side) -> Sequence[Level]:
        """What an order of that side would trade with on a coin's book, the best price first, as deep as the venue
        shows it; nothing where there is no book."""
        ...

    async def instant_price(self, coin: str, side: Side, quantity: Decimal) -> Decimal | None:
        """What each of so many coins would cost, or fetch, against the venue itself at once, its fee included; None
        where it does not say."""
        ...

    async def report(self, since: datetime) -> VenueReport:
        """Balances, open orders and fills as of one moment. Unavailable when the account does not hold still for it."""
        ...

    @property
    def slow_s(self) -> float:
        """For how long, after the venue answered a later request, it may still carry out one that it took in before, or
        show in no list and in no balance that it did."""
        ...

    async def close(self) -> None:
        """Let go of whatever connects it to the venue."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...
