"""Orders and executions as CoinSpot lists them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from omc.market.money import eight_places
from omc.market.terms import OrderKind
from omc.trading.fill import Side
from omc.trading.paper.order import Execution, RestingOrder
from omc.trading.paper.venue import PaperVenue

Row = dict[str, Any]
BOOK_ROWS = 20
HOUSE_SHOWS_AUD = Decimal(100_000)
"""What the quotes themselves are shown to be good for on a book; what they really are good for is the venue's depth."""


def stamp(time: datetime) -> str:
    """2020-05-21T13:22:45.000Z"""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def by_side(rows: Iterable[tuple[Side, Row]]) -> dict[str, list[Row]]:
    """The two lists that nearly every answer has."""
    lists: dict[str, list[Row]] = {"buyorders": [], "sellorders": []}
    for side, row in rows:
        lists[f"{side}orders"].append(row)
    return lists


def book(venue: PaperVenue, coin: str) -> dict[str, list[Row]]:
    """The best of each side: the quotes themselves and customers' resting orders. None for a coin without a market."""
    levels: list[tuple[Side, Decimal, Decimal]] = []
    quote = venue.board.quotes.get(coin)
    if coin in venue.terms.market_coins and quote:
        for side, price in ((Side.BUY, quote.bid_aud), (Side.SELL, quote.ask_aud)):
            levels.append((side, price, eight_places(HOUSE_SHOWS_AUD / price)))
    levels += [(each.side, each.price_aud, each.quantity) for each in venue.resting() if each.coin == coin]
    levels.sort(key=lambda level: -level[1] if level[0] is Side.BUY else level[1])
    lists = by_side((side, _priced(coin, quantity, price)) for side, price, quantity in levels)
    return {name: rows[:BOOK_ROWS] for name, rows in lists.items()}


def public_trades(venue: PaperVenue, coin: str) -> list[tuple[Side, Row]]:
    """Executions on a coin's market, newest first, without their owners."""
    return [
        (each.side, {**_priced(coin, each.quantity, each.price_aud), "solddate": stamp(each.executed_at)})
        for each in reversed(venue.executions)
        if each.coin == coin and each.kind is OrderKind.MARKET
    ]


def open_order(order: RestingOrder) -> Row:
    return {
        "id": order.order_id,
        **_priced(order.coin, order.quantity, order.price_aud),
        "created": stamp(order.created_at),
    }


def completed_order(execution: Execution) -> Row:
    """One row a fill. The rate of an instant order has its fee inside, the rate of a market order has not."""
    quantity, settlement, swapped = execution.quantity, execution.settlement, execution.swapped
    if swapped:
        market, total = f"{execution.coin}/{swapped.coin}", swapped.quantity
    else:
        market, total = f"{execution.coin}/AUD", settlement.total_aud
    rate = eight_places(total / quantity)
    if execution.kind is OrderKind.MARKET:
        rate, total = execution.price_aud, eight_places(quantity * execution.price_aud)
    return {
        "id": execution.order_id,
        "otc": False,
        "coin": execution.coin,
        "type": execution.kind.value,
        "market": market,
        "rate": rate,
        "amount": quantity,
        "total": total,
        "solddate": stamp(execution.executed_at),
        "audfeeExGst": settlement.fee_ex_gst_aud,
        "audGst": settlement.gst_aud,
        "audtotal": settlement.total_aud,
    }


def listed(
    executions: Sequence[Execution], coin: str | None, since: datetime | None, until: datetime | None
) -> Iterable[Execution]:
    """Newest first. `executions` are oldest first, so what is too old is never looked at."""
    for each in reversed(executions):
        if since and each.executed_at < since:
            return
        if coin in (None, each.coin) and (until is None or each.executed_at <= until):
            yield each


def _priced(coin: str, quantity: Decimal, price: Decimal) -> Row:
    return {
        "amount": quantity,
        "rate": price,
        "total": eight_places(quantity * price),
        "coin": coin,
        "market": f"{coin}/AUD",
    }
