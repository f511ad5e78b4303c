"""Whether the cash of a listed fill is what an order of ours could have moved.

A limit never trades beyond its price, and an instant order not beyond the threshold that it was sent with, so there is
a most that a purchase of that quantity can cost and a least that a sale of it can fetch. Within that, the fee tells the
two ways to trade apart: it is a fixed part of the cash, as `settlement` has it.
"""

from decimal import Decimal

from omc.market.money import CENT
from omc.market.terms import BPS, OrderKind, Terms
from omc.trading.fill import Fill, Side
from omc.trading.order import OrderIntent
from omc.trading.settlement import settle

_SLIPPAGE_BPS = 100
"""What an instant order's threshold allows besides the fee."""
_SALE_FEE_SLACK = CENT / 2
"""A sale's total is in cents, so its gross value is known to half of one."""
_FEE_GRID = Decimal("0.00000002")
"""Fee and tax are rounded apart, to eight decimals."""


def most_aud(intent: OrderIntent, quantity: Decimal, price_aud: Decimal, terms: Terms) -> Decimal:
    """The most that buying `quantity` can cost with the limit, or the quote, at `price_aud`."""
    fee_bps = terms.fee_bps_of(intent.kind)
    slack_bps = fee_bps + _SLIPPAGE_BPS if intent.kind is OrderKind.INSTANT else 0
    return settle(Side.BUY, quantity, price_aud * (BPS + slack_bps) / BPS, fee_bps).total_aud


def admissible(intent: OrderIntent, fill: Fill, terms: Terms) -> bool:
    """Whether `fill` moved cash at a rate that `intent` allows."""
    fee_bps = terms.fee_bps_of(intent.kind)
    slack_bps = fee_bps + _SLIPPAGE_BPS if intent.kind is OrderKind.INSTANT else 0
    price = intent.quote_price_aud
    match intent.side:
        case Side.BUY:
            return fill.total_aud <= most_aud(intent, fill.quantity, price, terms)
        case Side.SELL:
            least = settle(Side.SELL, fill.quantity, price * (BPS - slack_bps) / BPS, fee_bps)
            return fill.total_aud >= least.total_aud


def charged_as(intent: OrderIntent, fill: Fill, terms: Terms) -> bool:
    """Whether the fee of `fill` is that of the way in which `intent` trades."""
    fee_bps = terms.fee_bps_of(intent.kind)
    match intent.side:
        case Side.BUY:
            return abs(fill.fee_aud - fill.total_aud * fee_bps / (BPS + fee_bps)) <= _FEE_GRID
        case Side.SELL:
            slack = _SALE_FEE_SLACK * fee_bps / BPS + _FEE_GRID
            return abs(fill.fee_aud - fill.value_aud * fee_bps / BPS) <= slack
