"""Which way to a venue's price costs less: on the coin's order book, or instantly against the venue itself.

Both are measured against the middle of bid and ask, in basis points of the value there: what is paid beyond it (half
the spread, and what walking down the book adds), and the fee. The venue's own price is another than its book's, and
wider, so only what the venue says of it counts. Expected, not promised: the book may be gone by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from omc.market.money import ZERO, cents
from omc.market.quote import Quote
from omc.market.terms import BPS, OrderKind, Terms
from omc.trading.fill import Side


@dataclass(frozen=True, slots=True)
class Level:
    """What somebody wants to trade at one price of a book."""

    price_aud: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Route:
    """The cheaper way, and what each is expected to cost; None for a book that cannot fill it, and for a price that the
    venue does not tell."""

    kind: OrderKind
    market_bps: Decimal | None
    instant_bps: Decimal | None

    @property
    def reason(self) -> str:
        book = "no way on the book" if self.market_bps is None else f"{self.market_bps:.1f} bps on the book"
        instant = "not known" if self.instant_bps is None else f"{self.instant_bps:.1f} bps"
        return f"{self.kind}: {book} against {instant} instantly"


def route(
    side: Side,
    quantity: Decimal,
    quote: Quote,
    terms: Terms,
    *,
    book: Sequence[Level] | None = None,
    instant_price_aud: Decimal | None = None,
) -> Route:
    """The cheaper way for an order of `quantity` coins at `quote`.

    `book` is the side that it would trade with, the best price first, as deep as it is known; None takes the quote as
    deep enough. `instant_price_aud` is what a coin costs or fetches against the venue itself, the fee included; where
    it is not known, the book is taken. What the book cannot fill whole, or is worth less than the venue takes there, is
    no way at all.
    """
    middle = (quote.bid_aud + quote.ask_aud) / 2
    shown = quote.ask_aud if side is Side.BUY else quote.bid_aud
    instant = None if instant_price_aud is None else _cost_bps(side, instant_price_aud, middle, 0)
    if quote.coin not in terms.market_coins:
        return Route(OrderKind.INSTANT, None, instant)
    price = shown if book is None else _average(book, quantity)
    if price is None or cents(quantity * price) < terms.min_order_aud:
        return Route(OrderKind.INSTANT, None, instant)
    market = _cost_bps(side, price, middle, terms.fee_bps_of(OrderKind.MARKET))
    cheaper = OrderKind.MARKET if instant is None or market <= instant else OrderKind.INSTANT
    return Route(cheaper, market, instant)


def _cost_bps(side: Side, price: Decimal, middle: Decimal, fee_bps: int) -> Decimal:
    """What trading at `price` with that fee costs more than trading at the middle without one."""
    if side is Side.BUY:
        return (price * (BPS + fee_bps) / BPS / middle - 1) * BPS
    return (1 - price * (BPS - fee_bps) / BPS / middle) * BPS


def _average(book: Sequence[Level], quantity: Decimal) -> Decimal | None:
    """What each coin costs on average down the book; None when it holds too few."""
    left, paid = quantity, ZERO
    for level in book:
        taken = min(left, level.quantity)
        paid, left = paid + taken * level.price_aud, left - taken
        if not left:
            return paid / quantity
    return None
