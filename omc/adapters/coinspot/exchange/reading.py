"""CoinSpot's read-only paths: what an account holds, has open and has done."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from omc.adapters.coinspot.exchange.answer import ok
from omc.adapters.coinspot.exchange.rows import book, by_side, completed_order, listed, open_order, public_trades, stamp
from omc.adapters.coinspot.exchange.trading import Handler, Request, status
from omc.errors import VenueRefused
from omc.market.money import ZERO, eight_places
from omc.market.terms import OrderKind
from omc.trading.fill import Side


def balances(request: Request) -> dict[str, Any]:
    """An array of objects with one key each."""
    wallet = request.wallet
    coins = ["AUD", *sorted(coin for coin, quantity in wallet.coins.items() if quantity)]
    return ok(balances=[{coin: balance_of(request, coin)} for coin in coins])


def balance(request: Request, coin: str, *, available: bool) -> dict[str, Any]:
    coin = coin.upper()
    if coin != "AUD" and coin not in request.venue.coins:
        raise VenueRefused("Coin not found")
    held = balance_of(request, coin)
    if available:
        held["available"] = request.wallet.available(coin)
    return ok(balance={coin: held})


def balance_of(request: Request, coin: str) -> dict[str, Decimal]:
    held = request.wallet.balance(coin)
    quote = request.venue.board.quotes.get(coin)
    rate = Decimal(1) if coin == "AUD" else quote.last_aud if quote else ZERO
    return {"balance": held, "audbalance": eight_places(held * rate), "rate": rate}


def open_orders(request: Request) -> dict[str, Any]:
    request.fields.aud_market()
    coin = request.fields.optional_coin()
    orders = request.wallet.orders.values()
    return ok(**by_side((each.side, open_order(each)) for each in orders if coin in (None, each.coin)))


def open_limit_orders(_: Request) -> dict[str, Any]:
    """Stops and take-profits, which the API cannot create: there are none."""
    return ok(**by_side(()))


def completed(request: Request) -> dict[str, Any]:
    return _completed(request, only=None)


def completed_market(request: Request) -> dict[str, Any]:
    """The same without instant orders, and without type and otc."""
    answer = _completed(request, only=OrderKind.MARKET)
    for side in Side:
        for row in answer[f"{side}orders"]:
            del row["type"], row["otc"]
    return answer


def _completed(request: Request, *, only: OrderKind | None) -> dict[str, Any]:
    fields = request.fields
    fields.aud_market()
    found = listed(request.wallet.executions, fields.optional_coin(), fields.since(), fields.until())
    rows = ((each.side, completed_order(each)) for each in found if only in (None, each.kind))
    lists = by_side(rows)
    limit = fields.limit()
    return ok(**{name: list(islice(each, limit)) for name, each in lists.items()})


def market_book(request: Request) -> dict[str, Any]:
    return ok(**book(request.venue, _market(request)))


def market_trades(request: Request) -> dict[str, Any]:
    fields, coin = request.fields, _market(request)
    since, until = fields.since(), fields.until()
    rows = (
        (side, row)
        for side, row in public_trades(request.venue, coin)
        if (since is None or row["solddate"] >= stamp(since)) and (until is None or row["solddate"] <= stamp(until))
    )
    limit = fields.limit()
    return ok(**{name: each[:limit] for name, each in by_side(rows).items()})


def deposits(request: Request) -> dict[str, Any]:
    """The cash that the account was opened with."""
    customer = request.customer
    return ok(
        deposits=[
            {
                "amount": customer.opened_with_aud,
                "created": stamp(customer.opened_at),
                "status": "completed",
                "type": "PayID",
                "reference": "opening",
            }
        ]
    )


def withdrawals(_: Request) -> dict[str, Any]:
    return ok(withdrawals=[])


def sends_and_receives(_: Request) -> dict[str, Any]:
    return ok(sendtransactions=[], receivetransactions=[])


def payments(_: Request) -> dict[str, Any]:
    return ok(payments=[])


def _market(request: Request) -> str:
    request.fields.aud_market()
    coin = request.fields.coin()
    if coin not in request.venue.coins:
        raise VenueRefused("Coin not found")
    return coin


READING: Mapping[str, Handler] = {
    "status": status,
    "orders/market/open": market_book,
    "orders/market/completed": market_trades,
    "my/balances": balances,
    "my/orders/market/open": open_orders,
    "my/orders/limit/open": open_limit_orders,
    "my/orders/completed": completed,
    "my/orders/market/completed": completed_market,
    "my/sendreceive": sends_and_receives,
    "my/deposits": deposits,
    "my/withdrawals": withdrawals,
    "my/affiliatepayments": payments,
    "my/referralpayments": payments,
}
"""By path below /ro/; one more carries its coin in the path: my/balance/{coin}."""
