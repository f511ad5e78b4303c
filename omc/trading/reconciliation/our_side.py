"""What we know of one account at a venue, before its venue is asked and after what that showed was carried out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from omc.trading.order import Order
from omc.trading.reconciliation.books import moved, summed
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.steps import AddFills, AdoptFill, AdoptMovement, Settle, Step
from omc.trading.reconciliation.venue_book import HeldOrder


@dataclass(frozen=True, slots=True)
class Ours:
    """All that we know of one account at a venue."""

    account: str
    owner_trades: bool
    """It is its owner's own account, where they deposit and trade by hand; a paper account is ours alone."""
    orders: tuple[Order, ...]
    """Every order that the venue may still show something new of; over or not."""
    claims: Mapping[str, Decimal]
    """What the books of its deployments say, together."""
    own: Mapping[str, Decimal] = field(default_factory=dict)
    """What is the owner's own, as we know it."""
    external: frozenset[str] = frozenset()
    """Ids of fills and of orders that were adopted, or were there before us."""
    counted: frozenset[str] = frozenset()
    """Ids of fills that orders of ours have, beyond those in `orders`."""
    held: Mapping[str, tuple[Match, ...]] = field(default_factory=dict)
    """What each order that waits for a person could be; of one whose state is known, what else it may have made."""
    decided: Mapping[str, HeldOrder] = field(default_factory=dict)
    """What persons said about orders that waited."""
    sent: tuple[Order, ...] = ()
    """Every order that was sent lately, in whatever state; what is listed may be another execution of one of them."""
    opened_from: datetime | None = None
    """What was executed before then is in what the account held when it was opened."""

    @property
    def owned(self) -> frozenset[str]:
        """Ids of fills and of orders that are known to be ours, or others'."""
        own = {fill.fill_id for order in self.orders for fill in order.fills}
        named = {order.venue_order_id for order in self.orders if order.venue_order_id}
        return frozenset({*own, *named, *self.counted, *self.external})


def expected(ours: Ours, done: Iterable[Step]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Our claims, and what is the owner's own, once the steps were carried out."""
    claims, own = [dict(ours.claims)], [dict(ours.own)]
    for step in done:
        match step:
            case Settle(fills=fills) | AddFills(fills=fills):
                claims.append(moved(fills))
            case AdoptFill(listed):
                own.append(moved([listed.fill]))
            case AdoptMovement(coin, quantity):
                own.append({coin: quantity})
            case _:
                continue
    return summed(*claims), summed(*own)
