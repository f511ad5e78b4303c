"""What is listed beside the orders of ours that are known, and looks as if one of them had been carried out twice.

A request that nobody waits for any more may still arrive. What it makes is no stranger's, though nothing at the venue
says so: the same coin, side and quantity, soon after the order was sent. It is never taken for somebody else's unless a
person says that it is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from omc.market.terms import OrderKind
from omc.trading.listed import ListedFill, ListedOrder
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.promises import traded
from omc.trading.reconciliation.venue_book import HeldOrder

SKEW = timedelta(minutes=2)
"""How far the venue's clock may be behind the one that stamped an order's quote."""
LATE = timedelta(hours=1)
"""How long after it was sent a venue may still carry a request out."""


def grouped(fills: Iterable[ListedFill], working: Iterable[ListedOrder]) -> list[Match]:
    """Listed rows by the venue's order, where it names one."""
    of: dict[str, list[ListedFill]] = defaultdict(list)
    found: list[Match] = []
    for row in fills:
        if row.venue_order_id is None:
            found.append(Match(None, (row.fill,)))
        else:
            of[row.venue_order_id].append(row)
    orders = {each.venue_order_id: each for each in working}
    for order_id in {**of, **orders}:
        in_order = sorted((row.fill for row in of[order_id]), key=lambda fill: (fill.executed_at, fill.fill_id))
        found.append(Match(order_id, tuple(in_order), orders.get(order_id)))
    return found


def is_known(order: Order) -> bool:
    """Whether it is known which listed order it is, or what became of it."""
    return order.status.final or order.venue_order_id is not None


def doubled(listed: Match, sent: Sequence[Order]) -> list[Order]:
    """The orders that `listed` looks like, of those that were `sent`, newest first."""
    alike = [order for order in sent if _alike(listed, order)]
    return sorted(alike, key=lambda order: (order.intent.quoted_at, order.intent.client_order_id), reverse=True)


def decided_of(listed: Match, alike: Sequence[Order], decided: Mapping[str, HeldOrder]) -> HeldOrder | None:
    """What a person said about `listed`, whichever of the orders `alike` it was asked about: it is said once."""
    said = (decided.get(order.intent.client_order_id) for order in alike)
    return next((each for each in said if each is not None and each.ids & listed.ids), None)


def arrived_late(listed: Match, order: Order) -> bool:
    """Whether it is the first that is seen of an order that was given up."""
    return order.status is OrderStatus.REJECTED and not order.fills and listed.working is None


def _alike(listed: Match, order: Order) -> bool:
    intent = order.intent
    if (*traded(listed), listed.quantity) != (intent.coin, intent.side, intent.quantity):
        return False
    if listed.working is not None and intent.kind is OrderKind.INSTANT:
        return False
    return all(intent.quoted_at - SKEW <= fill.executed_at <= intent.quoted_at + LATE for fill in listed.fills)


def waiting(ours: Ours) -> list[tuple[str, Match]]:
    """What waits for a person to say whether it was an order of ours once more, and the order's name."""
    doubted = {order.intent.client_order_id for order in ours.orders if order.status is OrderStatus.UNRESOLVED}
    owned = ours.owned
    return [
        (name, listed)
        for name, candidates in ours.held.items()
        if name not in doubted
        for listed in candidates
        if not listed.ids & owned
    ]
