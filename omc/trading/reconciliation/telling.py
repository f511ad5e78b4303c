"""What the journal says of an account at a venue: what others did there, how our books compare, what was decided."""

from collections.abc import Mapping
from typing import Any

from omc.trading.floor import Reconciliation
from omc.trading.reconciliation.steps import AdoptFill, AdoptMovement, AdoptOrder

Adoption = AdoptFill | AdoptOrder | AdoptMovement


def tells_the_same(one: Reconciliation | None, other: Reconciliation) -> bool:
    """Whether a comparison tells nothing that the one before did not."""
    if one is None:
        return not other.differences and other.closed is None
    return (one.differences, one.closed, one.waiting) == (other.differences, other.closed, other.waiting)


def told_of(compared: Reconciliation) -> dict[str, Any]:
    """What the journal says of a comparison."""
    return {
        "account": compared.account,
        "differences": list(compared.differences),
        "closed": compared.closed,
        "waiting": list(compared.waiting),
    }


def told_of_adopted(account: str, adopted: Adoption) -> dict[str, Any]:
    """What the journal says of something that others did."""
    match adopted:
        case AdoptFill(listed):
            fill = listed.fill
            figures = {"quantity": fill.quantity, "total_aud": fill.total_aud, "fee_aud": fill.fee_aud}
            named = {"fill_id": fill.fill_id, "venue_order_id": listed.venue_order_id, "executed_at": fill.executed_at}
            return {"account": account, "what": "fill", "coin": fill.coin, "side": fill.side.value, **figures, **named}
        case AdoptOrder(order):
            figures = {"quantity": order.quantity, "price_aud": order.price_aud}
            named = {"venue_order_id": order.venue_order_id, "coin": order.coin, "side": order.side.value}
            return {"account": account, "what": "order", **named, **figures}
        case AdoptMovement(coin, quantity):
            return {"account": account, "what": "movement", "coin": coin, "quantity": quantity}


def decided(resolution: Mapping[str, Any]) -> str:
    """A person's decision in words."""
    fills = ", ".join(resolution.get("fill_ids", ()))
    return f"fills {fills}" if fills else resolution.get("venue_order_id") or "none of them"
