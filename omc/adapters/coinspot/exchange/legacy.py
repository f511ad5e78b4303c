"""The first version of CoinSpot's private API, which old clients still use; its shapes are known by hearsay only."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from omc.adapters.coinspot.exchange.answer import ok
from omc.adapters.coinspot.exchange.reading import (
    balance_of,
    balances,
    deposits,
    market_book,
    open_orders,
    payments,
    sends_and_receives,
    withdrawals,
)
from omc.adapters.coinspot.exchange.rows import by_side, completed_order, listed, public_trades
from omc.adapters.coinspot.exchange.trading import Handler, Request, cancel, deposit_address, place, quote_now
from omc.errors import VenueRefused
from omc.trading.fill import Side

_SHOWN = 1000


def history(request: Request) -> dict[str, Any]:
    """What was traded on a coin's market, with times in milliseconds."""
    coin = request.fields.coin()
    if coin not in request.venue.coins:
        raise VenueRefused("Coin not found")
    rows = [row for _, row in public_trades(request.venue, coin)[:_SHOWN]]
    for row in rows:
        row["solddate"] = round(datetime.fromisoformat(row["solddate"]).timestamp() * 1000)
    return ok(orders=rows)


def holdings(request: Request) -> dict[str, Any]:
    """Balances of a full-access key: an object with a number for each coin."""
    wallet = request.wallet
    held = {coin.lower(): quantity for coin, quantity in sorted(wallet.coins.items()) if quantity}
    return ok(balance={"aud": wallet.cash_aud, **held})


def holding(request: Request, coin: str) -> dict[str, Any]:
    return ok(balance={coin.upper(): balance_of(request, coin.upper())})


def quote(side: Side, request: Request) -> dict[str, Any]:
    return {"status": "ok", "quote": quote_now(side, request)["rate"], "timeframe": 1}


def transactions(request: Request, coin: str | None = None) -> dict[str, Any]:
    wallet, fields = request.wallet, request.fields
    rows = []
    for each in listed(wallet.executions, coin.upper() if coin else None, fields.since(), fields.until()):
        row = completed_order(each)
        row["created"] = row.pop("solddate")
        rows.append((each.side, row))
    return ok(**by_side(rows[:_SHOWN]))


def open_transactions(request: Request, coin: str | None = None) -> dict[str, Any]:
    answer = open_orders(request)
    if coin:
        for side in Side:
            rows = answer[f"{side}orders"]
            answer[f"{side}orders"] = [row for row in rows if row["coin"] == coin.upper()]
    return answer


LEGACY: Mapping[str, Handler] = {
    "orders": market_book,
    "orders/history": history,
    "quote/buy": partial(quote, Side.BUY),
    "quote/sell": partial(quote, Side.SELL),
    "my/balances": holdings,
    "my/orders": open_orders,
    "my/transactions": transactions,
    "my/coin/deposit": deposit_address,
    "my/buy": partial(place, Side.BUY),
    "my/sell": partial(place, Side.SELL),
    "my/buy/cancel": partial(cancel, Side.BUY),
    "my/sell/cancel": partial(cancel, Side.SELL),
}

LEGACY_READING: Mapping[str, Handler] = {
    "my/balances": balances,
    "my/transactions": transactions,
    "my/transactions/open": open_transactions,
    "my/deposits": deposits,
    "my/withdrawals": withdrawals,
    "my/sendreceive": sends_and_receives,
    "my/affiliatepayments": payments,
    "my/referralpayments": payments,
}
"""By path below /ro/; more carry a coin in the path."""
