"""CoinSpot's full-access paths: everything that changes an account. Withdrawals do not exist here, on purpose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from omc.adapters.coinspot.exchange.answer import ok
from omc.adapters.coinspot.exchange.keys import Customer
from omc.adapters.coinspot.exchange.request_fields import RequestFields
from omc.errors import VenueRefused
from omc.market.money import eight_places
from omc.trading.fill import Side
from omc.trading.paper.order import Direction, Protection, Unit
from omc.trading.paper.venue import PaperVenue
from omc.trading.paper.wallet import PaperWallet

_LARGEST_THRESHOLD_PERCENT = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One private request that was admitted."""

    venue: PaperVenue
    customer: Customer
    fields: RequestFields
    shown: PaperWallet | None = None
    """What the account seems to hold, when that is not what it holds."""

    @property
    def account(self) -> str:
        return self.customer.account

    @property
    def wallet(self) -> PaperWallet:
        """For readings; what is done is done to the venue's own."""
        return self.shown or self.venue.wallet(self.account)


Handler = Callable[[Request], dict[str, Any]]


def status(_: Request) -> dict[str, Any]:
    return {"status": "ok"}


def deposit_address(request: Request) -> dict[str, Any]:
    coin = request.fields.coin()
    if coin not in request.venue.coins:
        raise VenueRefused("Coin not found")
    address = {"name": coin, "network": coin, "address": f"sandbox-{coin.lower()}", "memo": ""}
    return ok(networks=[address])


def coinlist(request: Request) -> dict[str, Any]:
    return ok(coinlist=sorted(request.venue.board.quotes))


def quote_now(side: Side, request: Request) -> dict[str, Any]:
    unit = request.fields.choice("amounttype", Unit, Unit.COIN)
    return ok(rate=request.venue.quote_now(side, request.fields.coin(), request.fields.decimal("amount"), unit).rate)


def quote_swap(request: Request) -> dict[str, Any]:
    fields = request.fields
    coins = fields.coin("cointypesell"), fields.coin("cointypebuy")
    return ok(rate=request.venue.quote_swap(*coins, fields.decimal("amount")).rate)


def trade_now(side: Side, request: Request) -> dict[str, Any]:
    fields = request.fields
    done = request.venue.trade_now(
        request.account,
        side,
        fields.coin(),
        amount=fields.decimal("amount"),
        unit=fields.choice("amounttype", Unit),
        protection=_protection(fields, Direction.UP if side is Side.BUY else Direction.DOWN),
    )
    total = done.settlement.total_aud
    answer = ok(coin=done.coin, market=f"{done.coin}/AUD", amount=done.quantity, total=total)
    # An instant order has no id, and a bought one not even a rate.
    return answer if side is Side.BUY else {**answer, "rate": eight_places(total / done.quantity)}


def swap_now(request: Request) -> dict[str, Any]:
    fields = request.fields
    coin, other = fields.coin("cointypesell"), fields.coin("cointypebuy")
    amount = fields.decimal("amount")
    done = request.venue.swap_now(
        request.account, coin, other, amount=amount, protection=_protection(fields, Direction.BOTH)
    )
    total = done.swapped.quantity if done.swapped else Decimal(0)
    return ok(coin=coin, market=f"{coin}/{other}", amount=amount, rate=eight_places(total / amount), total=total)


def place(side: Side, request: Request) -> dict[str, Any]:
    fields = request.fields
    fields.aud_market()
    quantity, rate = fields.decimal("amount"), fields.decimal("rate")
    order = request.venue.place(request.account, side, fields.coin(), quantity=quantity, price_aud=rate)
    return ok(coin=order.coin, market=f"{order.coin}/AUD", amount=quantity, rate=rate, id=order.order_id)


def edit(side: Side, request: Request) -> dict[str, Any]:
    fields = request.fields
    rate, new_rate = fields.decimal("rate"), fields.decimal("newrate")
    order = request.venue.edit(request.account, side, fields.text("id"), price_aud=rate, new_price_aud=new_rate)
    return ok(
        updated=True,
        id=order.order_id,
        coin=order.coin,
        rate=rate,
        newrate=new_rate,
        amount=order.quantity,
        total=eight_places(order.quantity * new_rate),
    )


def cancel(side: Side, request: Request) -> dict[str, Any]:
    request.venue.cancel(request.account, side, request.fields.text("id"))
    return ok()


def cancel_all(side: Side, request: Request) -> dict[str, Any]:
    request.venue.cancel_all(request.account, side, request.fields.optional_coin("coin"))
    return ok()


def _protection(fields: RequestFields, default: Direction) -> Protection | None:
    rate, threshold = fields.optional_decimal("rate"), fields.optional_decimal("threshold")
    direction = fields.choice("direction", Direction, default)
    if rate is None:
        return None
    threshold = Decimal(0) if threshold is None else threshold
    if not rate.is_finite() or rate <= 0:
        raise VenueRefused("Invalid rate")
    if not threshold.is_finite() or not 0 <= threshold <= _LARGEST_THRESHOLD_PERCENT:
        raise VenueRefused("Invalid threshold")
    return Protection(rate, threshold, direction)


TRADING: Mapping[str, Handler] = {
    "status": status,
    "my/coin/deposit": deposit_address,
    "my/buy/now/coinlist": coinlist,
    "my/sell/now/coinlist": coinlist,
    "quote/buy/now": partial(quote_now, Side.BUY),
    "quote/sell/now": partial(quote_now, Side.SELL),
    "quote/swap/now": quote_swap,
    "my/buy": partial(place, Side.BUY),
    "my/sell": partial(place, Side.SELL),
    "my/buy/edit": partial(edit, Side.BUY),
    "my/sell/edit": partial(edit, Side.SELL),
    "my/buy/now": partial(trade_now, Side.BUY),
    "my/sell/now": partial(trade_now, Side.SELL),
    "my/swap/now": swap_now,
    "my/buy/cancel": partial(cancel, Side.BUY),
    "my/sell/cancel": partial(cancel, Side.SELL),
    "my/buy/cancel/all": partial(cancel_all, Side.BUY),
    "my/sell/cancel/all": partial(cancel_all, Side.SELL),
}
