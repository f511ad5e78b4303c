"""What a venue's answer makes of an order, and whether one that never arrived may be sent again."""

from datetime import datetime, timedelta

from omc.market.quote import Quote
from omc.market.terms import Terms
from omc.portfolio.position import Position
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.order import Order, OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.venue import Placed, Placement, Rejected

FRESH = timedelta(seconds=60)
"""How old, by the venue's clock, the quote of an order may be that is sent again."""

LIQUIDATION = "liquidation"


def placed(order: Order, placement: Placement) -> Order:
    """The order after the venue answered to its placing, or to the question what became of it."""
    match placement:
        case Rejected(message):
            return order.become(OrderStatus.FAILED, message=message)
        case Placed(venue_order_id, fills, is_open):
            filled = order.filled_by(fills)
            status = _status(filled, is_open)
            moved = filled if status is order.status else filled.become(status)
            return moved.known_as(venue_order_id)


def _status(order: Order, is_open: bool) -> OrderStatus:
    if order.filled_quantity >= order.intent.quantity:
        return OrderStatus.FILLED
    if is_open:
        return OrderStatus.PARTIAL if order.fills else OrderStatus.ACCEPTED
    return OrderStatus.CANCELLED


def is_fresh(intent: OrderIntent, venue_time: datetime) -> bool:
    """Whether the quote that an intent was sized on still stands for the market."""
    return venue_time - intent.quoted_at <= FRESH


def liquidation(deployment: Deployment, position: Position, quote: Quote, *, at: datetime, terms: Terms) -> OrderIntent:
    """The sale of all of a position after an emergency stop. Its name is none of the trader's own, and the same when
    it is asked for twice."""
    return OrderIntent(
        client_order_id=f"{client_order_id(deployment.id, at, position.coin, Turn.SALE)}:{LIQUIDATION}",
        deployment_id=deployment.id,
        user_id=deployment.user_id,
        coin=position.coin,
        side=Side.SELL,
        quantity=position.quantity,
        kind=terms.kind(position.coin),
        quote_price_aud=quote.bid_aud,
        quoted_at=at,
        decided_at=at,
        reason="emergency stop: sell out",
    )


def is_liquidation(intent: OrderIntent) -> bool:
    return intent.client_order_id.endswith(f":{LIQUIDATION}")
