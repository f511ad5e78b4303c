"""An owner who trades by hand, at the venue itself, on the account that the floor trades for him."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from omc.errors import VenueRefused
from omc.market.money import cents, floor_eight_places
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.order import Order, OrderStatus
from omc.trading.paper.order import Unit
from tests.actors.mortal import COINS, TERMS
from tests.simulation.happening import Hand, Happening
from tests.simulation.venue import REQUEST
from tests.simulation.world import World

_ON_THEIR_WAY = frozenset({OrderStatus.SUBMITTED, OrderStatus.UNKNOWN})
_WAIT_S, _LOOK_S = 20.0, 0.02
"""How long the owner waits for an order to do the same as, and how often he looks."""


def by_hand(world: World, each: Happening, hand: Hand) -> None:
    """What the venue refuses him is not done."""
    of = world.deployed[each.which % len(world.deployed)]
    _as_its_owner(world, lambda: _do(world, of, each.which, hand))


def _as_its_owner(world: World, act: Callable[[], None]) -> None:
    context = world.wire.outside.copy()
    context.run(REQUEST.set, ("", world.loop.time()))
    try:
        context.run(act)
    except VenueRefused as no:
        world.tell("refused to its owner:", no)


def _do(world: World, of: Deployment, which: int, hand: Hand) -> None:
    venue, account, coin = world.venue, of.account, COINS[which % len(COINS)]
    own, share = venue.owners(account), Decimal(which + 1) / 10
    match hand:
        case Hand.BUY:
            _buy(world, account, coin, own["AUD"] * share / 2)
        case Hand.SELL:
            _sell(world, account, coin, own[coin] * share)
        case Hand.TAKE:
            _sell(world, account, coin, own[coin] + (venue.wallet(account).balance(coin) - own[coin]) * share)
        case Hand.REST:
            market = "ETH" if which % 2 else "BTC"
            price = floor_eight_places(venue.quote(market).bid_aud * (1 - Decimal(which) / 300))
            quantity = floor_eight_places(own["AUD"] / 10 / price)
            venue.place(account, Side.BUY, market, quantity=quantity, price_aud=price)
        case Hand.CANCEL:
            for order in list(venue.wallet(account).orders.values()):
                if not venue.sent_for[order.order_id]:
                    venue.cancel(account, order.side, order.order_id)
        case Hand.DEPOSIT:
            venue.bring(account, {"AUD": Decimal(100 * (which + 1))} if which % 2 else {coin: share})
        case Hand.WITHDRAW:
            what = "AUD" if which % 2 else coin
            amount = max(own[what], Decimal(0)) * share
            venue.bring(account, {what: -(cents(amount) if what == "AUD" else floor_eight_places(amount))})


def _buy(world: World, account: str, coin: str, amount_aud: Decimal) -> None:
    if amount_aud > 1:
        world.venue.trade_now(account, Side.BUY, coin, amount=cents(amount_aud), unit=Unit.AUD)


def _sell(world: World, account: str, coin: str, quantity: Decimal) -> None:
    if quantity > 0:
        world.venue.trade_now(account, Side.SELL, coin, amount=floor_eight_places(quantity), unit=Unit.COIN)


async def alike(world: World, each: Happening) -> None:
    """The owner does what an order of the floor's does, to the last coin, as soon as one is on its way."""
    of, until = world.deployed[each.which % len(world.deployed)], world.loop.time() + _WAIT_S
    while world.loop.time() < until:
        sent = [row.order for row in world.blotter._rows_of(of.id) if row.order.status in _ON_THEIR_WAY]
        if sent:
            _as_its_owner(world, partial(_copy, world, of.account, sent[-1]))
            return
        await asyncio.sleep(_LOOK_S)


def _copy(world: World, account: str, model: Order) -> None:
    venue, intent = world.venue, model.intent
    if intent.side is Side.SELL and venue.owners(account)[intent.coin] < intent.quantity:
        return
    if intent.coin in TERMS.market_coins:
        price = intent.quote_price_aud
        venue.place(account, intent.side, intent.coin, quantity=intent.quantity, price_aud=price)
    else:
        venue.trade_now(account, intent.side, intent.coin, amount=intent.quantity, unit=Unit.COIN)
