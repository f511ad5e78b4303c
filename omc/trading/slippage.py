"""How much worse than its arrival price an order was carried out.

Implementation shortfall (Perold, "The implementation shortfall: paper versus reality", Journal of Portfolio Management
14, 1988), of what was executed: the average price paid or fetched against the quote at the moment of the decision. What
was never executed costs nothing here, and is told by the filled quantity; fees are told by the fills.
"""

from decimal import Decimal

from omc.market.money import ZERO
from omc.market.terms import BPS
from omc.trading.fill import Side
from omc.trading.order import Order

_HUNDREDTH = Decimal("0.01")


def slippage_bps(order: Order) -> Decimal | None:
    """Σ side · (price − arrival) · quantity / (arrival · Σ quantity), in basis points to two decimals; positive is
    worse than the quote that the order was sized on, fees left out. None without a fill."""
    quantity = order.filled_quantity
    if not quantity:
        return None
    paid = sum((fill.value_aud for fill in order.fills), ZERO)
    worse = paid / quantity - order.intent.quote_price_aud
    if order.intent.side is Side.SELL:
        worse = -worse
    return (worse / order.intent.quote_price_aud * BPS).quantize(_HUNDREDTH)


def beyond(order: Order, tolerance_bps: float | None) -> bool:
    """Whether an order slipped further than is tolerated."""
    slipped = slippage_bps(order)
    return tolerance_bps is not None and slipped is not None and slipped > Decimal(str(tolerance_bps))
