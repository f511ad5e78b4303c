"""What became of an order whose answer was lost: an intent held against what the venue lists.

A venue without client order ids gives us only lists of open and completed orders, so an order is recognized by its
coin, side, kind, quantity, price and time. Fills that other orders own never count. One sender an account means that
at most one order of ours is in doubt at a time; anything else that fits is a stranger's, and then nobody can tell.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from omc.errors import Ambiguous
from omc.market.money import ZERO
from omc.market.terms import OrderKind, Terms
from omc.trading.fill import Fill
from omc.trading.listed import ListedFill, ListedOrder
from omc.trading.order import OrderIntent
from omc.trading.reconciliation.cash_movement import admissible, charged_as

_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Match:
    """The venue's side of one order of ours; `working` is what is left of it on the book."""

    venue_order_id: str | None
    fills: tuple[Fill, ...]
    working: ListedOrder | None = None

    @property
    def ids(self) -> frozenset[str]:
        """Of the order, and of each of its fills."""
        named = {self.venue_order_id} if self.venue_order_id is not None else set()
        return frozenset(named | {fill.fill_id for fill in self.fills})

    @property
    def filled(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)

    @property
    def quantity(self) -> Decimal:
        """Filled and still working together."""
        return self.filled + (self.working.quantity if self.working else ZERO)


def match(
    intent: OrderIntent,
    fills: Iterable[ListedFill],
    working: Iterable[ListedOrder],
    *,
    since: datetime,
    known: frozenset[str],
    venue_order_id: str | None = None,
    terms: Terms = _TERMS,
) -> Match | None:
    """The one thing listed since `since` that can be `intent`; None when there is no trace of it. `known` are ids of
    fills and of orders that are others'.

    With `venue_order_id`, the venue's own word on which order it is, what carries that id is the answer. Without it,
    an order that accounts for the whole quantity goes before one that accounts for a part (the rest was cancelled).
    Raises Ambiguous when two could be it, or when the only one moved cash that no order like it would.
    """
    candidates = _candidates(intent, fills, [*_ours(intent, working, venue_order_id)], since, known)
    if venue_order_id is not None:
        named = [each for each in candidates if each.venue_order_id == venue_order_id]
        if named:
            return named[0]
        candidates = [each for each in candidates if each.venue_order_id is None]
    whole = [each for each in candidates if each.quantity == intent.quantity]
    if whole:
        return _only(intent, whole, terms)
    # An instant order executes whole or not at all, and what still works is ours only if it was placed whole.
    if intent.kind is OrderKind.INSTANT:
        return None
    part = [each for each in candidates if each.working is None and each.quantity < intent.quantity]
    return _only(intent, part, terms) if part else None


def alike(
    intent: OrderIntent,
    fills: Iterable[ListedFill],
    working: Iterable[ListedOrder],
    *,
    since: datetime,
    known: frozenset[str],
) -> tuple[Match, ...]:
    """Everything that `match` would have to choose from, for a person to choose."""
    found = _candidates(intent, fills, [*_ours(intent, working, None)], since, known)
    return tuple(each for each in found if each.quantity <= intent.quantity)


def _candidates(
    intent: OrderIntent,
    fills: Iterable[ListedFill],
    working: Sequence[ListedOrder],
    since: datetime,
    known: frozenset[str],
) -> list[Match]:
    """Everything of the intent's coin, side and kind, by order."""
    orders = {each.venue_order_id: each for each in working}
    by_order: dict[str, list[Fill]] = defaultdict(list)
    alone: list[Match] = []
    owned: set[str] = set()
    for each in fills:
        fill = each.fill
        if (fill.coin, fill.side) != (intent.coin, intent.side) or each.kind not in (None, intent.kind):
            continue
        if fill.fill_id in known:
            # An order that has one fill of another intent of ours is that intent's, with all that it has.
            owned.add(each.venue_order_id or fill.fill_id)
        elif fill.executed_at >= since:
            if each.venue_order_id is None:
                alone.append(Match(None, (fill,)))
            else:
                by_order[each.venue_order_id].append(fill)
    ids = [order_id for order_id in {**by_order, **orders} if order_id not in owned and order_id not in known]
    grouped = [Match(order_id, _in_order(by_order[order_id]), orders.get(order_id)) for order_id in ids]
    return grouped + alone


def _ours(intent: OrderIntent, working: Iterable[ListedOrder], venue_order_id: str | None) -> Iterator[ListedOrder]:
    """Open orders that can be the intent: by the venue's id, or by its limit."""
    for each in working:
        named = venue_order_id is not None and each.venue_order_id == venue_order_id
        alike = venue_order_id is None and each.price_aud == intent.quote_price_aud
        same = intent.kind is OrderKind.MARKET and (each.coin, each.side) == (intent.coin, intent.side)
        if same and (named or alike):
            yield each


def _in_order(fills: Sequence[Fill]) -> tuple[Fill, ...]:
    return tuple(sorted(fills, key=lambda fill: (fill.executed_at, fill.fill_id)))


def _only(intent: OrderIntent, matches: Sequence[Match], terms: Terms) -> Match:
    """The one whose cash is what the intent would have moved; of several such, the one that was charged like it."""
    paid = [each for each in matches if all(admissible(intent, fill, terms) for fill in each.fills)]
    if len(paid) > 1 and all(each.fills for each in paid):
        paid = [each for each in paid if all(charged_as(intent, fill, terms) for fill in each.fills)] or paid
    if len(paid) == 1:
        return paid[0]
    many = len(paid or matches)
    what = f"{many} orders at the venue could be this one"
    if many == 1:
        what = "1 order at the venue looks like this one and moved other cash"
    raise Ambiguous(f"order {intent.client_order_id}: {what}; a person must say which")
