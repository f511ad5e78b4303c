"""What a venue's answer makes of an order, and whether one that never arrived may be sent again."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from omc.errors import Conflict
from omc.market.money import SATOSHI, ZERO, floor_eight_places
from omc.market.quote import Quote
from omc.market.terms import BPS, Terms
from omc.portfolio.position import Position
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.venue import Placed, Placement, Rejected

FRESH = timedelta(seconds=60)
"""How old, by the venue's clock, the quote of an order may be that is sent again."""

LIQUIDATION = "liquidation"
AT_ONCE = "the book did not give more of it at once"
TIME_OVER = "its time is over"
"""Why an order is cancelled that then has expired."""
FORSAKEN = "nobody trades for it any more"
RESTS = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIAL, OrderStatus.CANCELLING, OrderStatus.REPLACING})


def placed(order: Order, placement: Placement) -> Order:
    """The order after the venue answered to its placing, or to the question what became of it."""
    match placement:
        case Rejected(message):
            return order.become(OrderStatus.REJECTED, message=message)
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


def rests(order: Order) -> bool:
    """Whether it is known to be on the venue's book, to be worked there; any other that was sent is looked for until
    that, or its end, is known. What was good only for what there was at once is worked by cancelling the rest."""
    return order.status in RESTS and order.venue_order_id is not None


def seen(order: Order, placed: Placed) -> Order:
    """An order that rests after a look at it: filled whole, or on the book, wherever its limit stands now. One that is
    being cancelled stays so until it is gone."""
    order = order.filled_by(placed.fills).known_as(placed.venue_order_id)
    if order.filled_quantity >= order.intent.quantity:
        return order.become(OrderStatus.FILLED)
    if not placed.open or order.status is OrderStatus.CANCELLING:
        return order
    if placed.price_aud is not None and placed.price_aud != order.price_aud:
        order = replace(order, limit_aud=placed.price_aud)
    status = OrderStatus.PARTIAL if order.fills else OrderStatus.ACCEPTED
    return order if status is order.status else order.become(status)


def fills_whole(intent: OrderIntent, placed: Placed) -> bool:
    return sum((fill.quantity for fill in placed.fills), ZERO) == intent.quantity


def gone(order: Order) -> Order:
    """An order that rested and is off the book now, with the fills that it has. One whose move was not answered may
    work there under another id, or have traded."""
    if order.status is OrderStatus.REPLACING:
        return order.become(OrderStatus.UNRESOLVED, message="it left the book while it was being moved")
    if order.status is OrderStatus.CANCELLING and (order.message or "").startswith(TIME_OVER):
        return order.become(OrderStatus.EXPIRED, message=order.message)
    asked = order.message if order.status is OrderStatus.CANCELLING else None
    return order.become(OrderStatus.CANCELLED, message=asked or "it left the venue's book and nobody here asked for it")


def in_parts(parent: Order, *, message: str | None) -> Order:
    """An order that its slices have carried out, as far as they did; it has their fills."""
    if parent.filled_quantity >= parent.intent.quantity:
        return parent.become(OrderStatus.FILLED, message=message)
    expired = message is not None and message.startswith(TIME_OVER)
    return parent.become(OrderStatus.EXPIRED if expired else OrderStatus.CANCELLED, message=message)


def is_fresh(intent: OrderIntent, venue_time: datetime) -> bool:
    """Whether the quote that an intent was sized on still stands for the market."""
    return venue_time - intent.quoted_at <= FRESH


def liquidation(
    deployment: Deployment,
    position: Position,
    quote: Quote,
    *,
    at: datetime,
    terms: Terms,
    attempt: int = 1,
    below_bps: int = 0,
    forced: int | None = None,
) -> OrderIntent:
    """The sale of all of a position after an emergency stop, or for the notice numbered `forced`, at the bid or so far
    below it. Its name is none of the trader's own, and the same when the same attempt is asked for twice."""
    name = client_order_id(deployment.id, at, position.coin, Turn.SALE)
    again = f":{attempt}" if attempt > 1 else ""
    own = None if forced is None else forced_name(deployment.id, forced, position.coin, attempt)
    return OrderIntent(
        client_order_id=own or f"{name}{again}:{LIQUIDATION}",
        deployment_id=deployment.id,
        user_id=deployment.user_id,
        coin=position.coin,
        side=Side.SELL,
        quantity=position.quantity,
        kind=terms.kind(position.coin),
        quote_price_aud=max(SATOSHI, floor_eight_places(quote.bid_aud * (BPS - below_bps) / BPS)),
        quoted_at=at,
        decided_at=at,
        reason="emergency stop: sell out" if forced is None else "forced exit: asked for by its owner",
    )


def forced_name(deployment_id: UUID, number: int, coin: str, attempt: int) -> str:
    """Names one attempt to sell a coin for one notice."""
    return f"{deployment_id}:forced-{number}:{coin}:{Turn.SALE}:{attempt}:{LIQUIDATION}"


def is_forced(intent: OrderIntent) -> bool:
    """Whether it is a sale of the house's own that its owner asked for."""
    return is_liquidation(intent) and ":forced-" in intent.client_order_id


def is_liquidation(intent: OrderIntent) -> bool:
    """Whether it is the house's own sale, made to get out: it alone needs no trader, and no halt stops it."""
    return intent.side is Side.SELL and intent.client_order_id.endswith(f":{LIQUIDATION}")


def check_trader(intent: OrderIntent, trader: Lease | None) -> None:
    """Conflict unless somebody trades for it, or it is the house's own sale."""
    if trader is None and not is_liquidation(intent):
        raise Conflict(f"{intent.client_order_id}: only the house's own sale needs no trader")
    if trader is not None and is_liquidation(intent):
        raise Conflict(f"{intent.client_order_id}: the house's own sale is no trader's")
