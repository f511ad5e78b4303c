"""One intent, and what became of it: the table is the machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self
from uuid import UUID

from omc.errors import IllegalTransition
from omc.market.money import ZERO, cents
from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side


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

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"{self.client_order_id}: quantity {self.quantity} is not positive")
        if self.quote_price_aud <= 0:
            raise ValueError(f"{self.client_order_id}: price {self.quote_price_aud} is not positive")

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
    DENIED = "denied"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return not _NEXT[self]


# UNKNOWN -> SUBMITTED is the one way to send again: only after reconciliation has proved that the venue never took
# the first sending and, its nonce being spent, never can.
_NEXT: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.INTENT: frozenset({OrderStatus.DENIED, OrderStatus.SUBMITTED}),
    OrderStatus.DENIED: frozenset(),
    OrderStatus.SUBMITTED: frozenset(
        {
            OrderStatus.UNKNOWN,
            OrderStatus.ACCEPTED,
            OrderStatus.PARTIAL,
            OrderStatus.FILLED,
            OrderStatus.CANCELLED,
            OrderStatus.FAILED,
        }
    ),
    OrderStatus.UNKNOWN: frozenset(
        {
            OrderStatus.SUBMITTED,
            OrderStatus.ACCEPTED,
            OrderStatus.PARTIAL,
            OrderStatus.FILLED,
            OrderStatus.CANCELLED,
            OrderStatus.FAILED,
        }
    ),
    OrderStatus.ACCEPTED: frozenset(
        {OrderStatus.UNKNOWN, OrderStatus.PARTIAL, OrderStatus.FILLED, OrderStatus.CANCELLED}
    ),
    OrderStatus.PARTIAL: frozenset(
        {OrderStatus.UNKNOWN, OrderStatus.PARTIAL, OrderStatus.FILLED, OrderStatus.CANCELLED}
    ),
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.FAILED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Order:
    """An intent with its status, the venue's id where it gave one, and its fills."""

    intent: OrderIntent
    status: OrderStatus = OrderStatus.INTENT
    venue_order_id: str | None = None
    fills: tuple[Fill, ...] = ()
    message: str | None = None

    def become(self, status: OrderStatus, *, message: str | None = None) -> Self:
        """This order moved to `status`; a move outside the table is refused and changes nothing."""
        if status not in _NEXT[self.status]:
            raise IllegalTransition(f"order {self.intent.client_order_id} cannot go from {self.status} to {status}")
        return type(self)(self.intent, status, self.venue_order_id, self.fills, message)

    def filled_by(self, fills: tuple[Fill, ...]) -> Self:
        """This order with those of `fills` that it has not counted yet."""
        known = {fill.fill_id for fill in self.fills}
        new = tuple(fill for fill in fills if fill.fill_id not in known)
        return type(self)(self.intent, self.status, self.venue_order_id, self.fills + new, self.message)

    def known_as(self, venue_order_id: str | None) -> Self:
        """This order with the id that the venue gave it; none forgets none."""
        known_as = venue_order_id or self.venue_order_id
        return type(self)(self.intent, self.status, known_as, self.fills, self.message)

    @property
    def filled_quantity(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)
