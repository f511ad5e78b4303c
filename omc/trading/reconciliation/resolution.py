"""What a person says became of an order that could be several things."""

from collections.abc import Mapping
from typing import Any

from omc.errors import InvalidInput
from omc.trading.fill import Fill
from omc.trading.floor import Choice
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.venue_book import HeldOrder

_NOTHING: Mapping[str, Any] = {"fill_ids": (), "venue_order_id": None}


def resolution_of(choice: Choice, by: str) -> dict[str, Any]:
    """As it is remembered."""
    return {"fill_ids": sorted(choice.fill_ids), "venue_order_id": choice.venue_order_id, "by": by}


def choice_of(resolution: Mapping[str, Any]) -> Choice:
    return Choice(tuple(resolution["fill_ids"]), resolution["venue_order_id"])


def chosen_of(decided: HeldOrder, listed: Match) -> tuple[Fill, ...]:
    """Fills of `listed` that a person said are the order's."""
    choice = choice_of(decided.resolution or _NOTHING)
    whole = choice.venue_order_id is not None and choice.venue_order_id == listed.venue_order_id
    return tuple(fill for fill in listed.fills if whole or fill.fill_id in choice.fill_ids)


def resolved(order: Order, held: HeldOrder, choice: Choice | None = None) -> Order:
    """`order` as `choice` has it, or as was decided before. InvalidInput for what it could not be: another's fills, or
    more than it asked for."""
    if choice is None:
        choice = choice_of(held.resolution or _NOTHING)
    fills, order_id, working = _chosen(held, choice)
    if order.status is not OrderStatus.UNRESOLVED:
        return _more(order, held, fills, working=working)
    filled = order.filled_by(fills).known_as(order_id)
    if filled.filled_quantity > order.intent.quantity:
        come_to, asked, coin = filled.filled_quantity, order.intent.quantity, order.intent.coin
        raise InvalidInput(f"these fills come to {come_to:f} {coin}, the order asked for {asked:f}")
    if filled.filled_quantity == order.intent.quantity:
        return filled.become(OrderStatus.FILLED, message="so a person said")
    if working:
        return filled.become(OrderStatus.PARTIAL if filled.fills else OrderStatus.ACCEPTED, message="so a person said")
    status = OrderStatus.CANCELLED if filled.fills else OrderStatus.REJECTED
    return filled.become(status, message=_left(held))


def _left(held: HeldOrder) -> str:
    """What a person should know of what it was not, or not any more."""
    working = ", ".join(str(each.venue_order_id) for each in held.candidates if each.working is not None)
    return f"so a person said; {working} goes on at the venue, as its owner's" if working else "so a person said"


def _more(order: Order, held: HeldOrder, fills: tuple[Fill, ...], *, working: bool) -> Order:
    """An order whose state is known, and that may have been executed once more."""
    if working:
        raise InvalidInput(
            f"order {held.client_order_id} is {order.status}, so what is open is another one: take it off the venue's "
            "book, and say which of its fills were this order's"
        )
    return order.filled_by(fills)


def _chosen(held: HeldOrder, choice: Choice) -> tuple[tuple[Fill, ...], str | None, bool]:
    """The fills, the venue's id of the order that they are of, and whether it still works."""
    listed = {fill.fill_id: (fill, each) for each in held.candidates for fill in each.fills}
    unknown = [name for name in choice.fill_ids if name not in listed]
    if unknown:
        raise InvalidInput(f"{', '.join(unknown)}: no fill that order {held.client_order_id} could be")
    if choice.venue_order_id is not None:
        named = [each for each in held.candidates if each.venue_order_id == choice.venue_order_id]
        if not named:
            raise InvalidInput(f"{choice.venue_order_id}: no order that {held.client_order_id} could be")
        return named[0].fills, choice.venue_order_id, named[0].working is not None
    fills = tuple(listed[name][0] for name in dict.fromkeys(choice.fill_ids))
    of: list[Match] = []
    for name in choice.fill_ids:
        of += [] if listed[name][1] in of else [listed[name][1]]
    working = [each for each in of if each.working is not None]
    if working and len(of) > 1:
        raise InvalidInput(
            f"these fills are of {len(of)} orders, of which {working[0].venue_order_id} still works: it can be one only"
        )
    ids = {each.venue_order_id for each in of}
    return fills, ids.pop() if len(ids) == 1 else None, bool(working)
