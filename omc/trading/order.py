"""One intent, and what became of it: the table is the machine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import inf
from typing import Self
from uuid import UUID

from omc.errors import IllegalTransition
from omc.market.money import ZERO, cents
from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side
from omc.trading.slicing import Plan


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """What a trader wants done. `client_order_id` names it forever: one intent, at most one venue order."""

    client_order_id: str
    deployment_id: UUID
    user_id: UUID
    coin: str
    side: Side
    quantity: Decimal
    kind: OrderKind
    quote_price_aud: Decimal
    """The ask (to buy) or bid (to sell) that it was sized on."""
    quoted_at: datetime
    """When that quote was seen, by the venue's clock."""
    decided_at: datetime
    """The bar whose close led to it."""
    reason: str
    good_for_s: float = 0.0
    """How long it may rest on the book, by the venue's clock. 0 takes what the book gives at once; the rest of it is
    cancelled. An instant order never rests."""
    slice_of: str | None = None
    """The client order id of the order that this one carries out a part of."""

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"{self.client_order_id}: quantity {self.quantity} is not positive")
        if self.quote_price_aud <= 0:
            raise ValueError(f"{self.client_order_id}: price {self.quote_price_aud} is not positive")
        if not 0.0 <= self.good_for_s < inf:
            raise ValueError(f"{self.client_order_id}: it cannot rest for {self.good_for_s} s")

    @property
    def notional_aud(self) -> Decimal:
        return cents(self.quantity * self.quote_price_aud)


class Turn(StrEnum):
    """When in a bar an order has its turn, first to last: a coin has one order at most in each."""

    SALE = "sell"
    """Towards a target."""
    EXIT_AT_OPEN = "sell:exit-at-open"
    """Of what had passed its stop, or its time, before the bar began."""
    PURCHASE = "buy"
    EXIT = "sell:exit"
    """Of what passes its stop or reaches its profit inside the bar."""

    @property
    def side(self) -> Side:
        return Side.BUY if self is Turn.PURCHASE else Side.SELL


def client_order_id(deployment_id: UUID, quoted_at: datetime, coin: str, turn: Turn) -> str:
    """The one name of what a deployment does with a coin in a bar's turn; asked for again, it is the same order."""
    return f"{deployment_id}:{quoted_at:%Y%m%dT%H%M%SZ}:{coin}:{turn}"


class OrderStatus(StrEnum):
    INTENT = "intent"
    """Wanted, and journaled; nobody has said yes yet."""
    DENIED = "denied"
    """Our risk book's no."""
    SLICED = "sliced"
    """Carried out by orders of its own, one after the other; it is never sent itself."""
    SUBMITTED = "submitted"
    """Written ahead: from here on the venue may have it."""
    UNKNOWN = "unknown"
    """The answer was lost: the venue may have it or not."""
    ACCEPTED = "accepted"
    PARTIAL = "partial"
    CANCELLING = "cancelling"
    """The venue has it, and was asked to take the rest of it off its book."""
    REPLACING = "replacing"
    """The venue has it, and was asked to move it to another price."""
    UNRESOLVED = "unresolved"
    """What became of it cannot be told from what the venue shows: a person must say."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    """Over before it was filled whole; the fills that it had are kept."""
    EXPIRED = "expired"
    """As cancelled, by its own time."""
    REJECTED = "rejected"
    """The venue's no, or it never arrived there: nothing was executed."""

    @property
    def final(self) -> bool:
        return not _NEXT[self]


_S = OrderStatus
_OVER = frozenset({_S.FILLED, _S.CANCELLED, _S.EXPIRED})
_WORKING = frozenset({_S.ACCEPTED, _S.PARTIAL})
_ASKED = frozenset({_S.CANCELLING, _S.REPLACING})
# What a person or a later look at the venue may find an order to be, whose state is not known.
_FOUND = _WORKING | _OVER | {_S.REJECTED}

# UNKNOWN -> SUBMITTED is the one way to send again: only after reconciliation has proved that the venue never took
# the first sending and, its nonce being spent, never can.
_NEXT: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    _S.INTENT: frozenset({_S.DENIED, _S.SLICED, _S.SUBMITTED}),
    _S.DENIED: frozenset(),
    _S.SLICED: _OVER,
    _S.SUBMITTED: _FOUND | {_S.UNKNOWN},
    _S.UNKNOWN: _FOUND | {_S.SUBMITTED, _S.UNRESOLVED},
    _S.ACCEPTED: (_FOUND | _ASKED | {_S.UNKNOWN, _S.UNRESOLVED}) - {_S.ACCEPTED},
    _S.PARTIAL: _OVER | _ASKED | {_S.UNKNOWN, _S.UNRESOLVED, _S.PARTIAL},
    _S.CANCELLING: _WORKING | _OVER | {_S.UNKNOWN, _S.UNRESOLVED},
    _S.REPLACING: _WORKING | _OVER | {_S.UNKNOWN, _S.UNRESOLVED, _S.CANCELLING},
    _S.UNRESOLVED: _FOUND,
    _S.FILLED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.REJECTED: frozenset(),
}
UNSETTLED = frozenset({_S.SUBMITTED, _S.UNKNOWN, _S.UNRESOLVED}) | _WORKING | _ASKED
"""Sent, and not final: what became of such an order is not known yet."""
STANDING = UNSETTLED | {_S.SLICED}
"""The same, or sent slice by slice."""


@dataclass(frozen=True, slots=True)
class Order:
    """An intent with its status, the venue's id where it gave one, and its fills: of one in slices, the slices'."""

    intent: OrderIntent
    status: OrderStatus = OrderStatus.INTENT
    venue_order_id: str | None = None
    fills: tuple[Fill, ...] = ()
    message: str | None = None
    limit_aud: Decimal | None = None
    """Where its limit stands on the book, or is being moved to, once that is not the price that it was sized on."""
    plan: Plan | None = None
    """The slices that carry it out."""

    def become(self, status: OrderStatus, *, message: str | None = None) -> Self:
        """This order moved to `status`; a move outside the table is refused and changes nothing."""
        if status not in _NEXT[self.status]:
            raise IllegalTransition(f"order {self.intent.client_order_id} cannot go from {self.status} to {status}")
        return replace(self, status=status, message=message)

    def filled_by(self, fills: tuple[Fill, ...]) -> Self:
        """This order with those of `fills` that it has not counted yet."""
        known = {fill.fill_id for fill in self.fills}
        new = tuple(fill for fill in fills if fill.fill_id not in known)
        return replace(self, fills=self.fills + new) if new else self

    def known_as(self, venue_order_id: str | None) -> Self:
        """This order with the id that the venue gave it; none forgets none."""
        return replace(self, venue_order_id=venue_order_id or self.venue_order_id)

    @property
    def filled_quantity(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)

    @property
    def left(self) -> Decimal:
        """What is not filled of it; of more than it asked for, nothing."""
        return max(self.intent.quantity - self.filled_quantity, ZERO)

    @property
    def price_aud(self) -> Decimal:
        """Its limit, as far as we know."""
        return self.limit_aud or self.intent.quote_price_aud
