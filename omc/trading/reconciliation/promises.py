"""What may still be taken out of an account by orders that are not over, or by what may be ours: coins, or cash."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from omc.market.terms import OrderKind, Terms
from omc.trading.fill import Side
from omc.trading.order import Order
from omc.trading.reconciliation.books import CASH, moved, summed
from omc.trading.reconciliation.cash_movement import most_aud
from omc.trading.reconciliation.matching import Match
from omc.trading.settlement import settle


def promised(order: Order, terms: Terms) -> dict[str, Decimal]:
    """The most that what is not filled of an order can take, by coin; cash under "AUD"."""
    intent = order.intent
    if intent.side is Side.SELL:
        return {intent.coin: order.left}
    return {CASH: most_aud(intent, order.left, order.price_aud, terms)}


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something of which nobody knows yet whether it was executed, or whose it is. What else is listed of its coin and
    side is nobody's until that is known."""

    coin: str
    side: Side
    takes: Mapping[str, Decimal]
    """The most that it can have taken out of the account, or may take yet."""


def doubt_of(order: Order, terms: Terms) -> Doubt:
    """An order of ours whose outcome is not known."""
    return Doubt(order.intent.coin, order.intent.side, promised(order, terms))


def traded(listed: Match) -> tuple[str, Side]:
    """The coin and the side of what is listed."""
    one = listed.working or listed.fills[0]
    return one.coin, one.side


def doubt_about(listed: Match, terms: Terms) -> Doubt:
    """What is listed, and may be ours or somebody else's."""
    (coin, side), left = traded(listed), listed.working
    changed = moved(listed.fills)
    if left is not None:
        paid = settle(side, left.quantity, left.price_aud, terms.fee_bps_of(OrderKind.MARKET)).total_aud
        changed = summed(changed, {coin: -left.quantity} if side is Side.SELL else {CASH: -paid})
    return Doubt(coin, side, {each: -quantity for each, quantity in changed.items() if quantity < 0})


def most_taken(doubts: Iterable[Doubt]) -> dict[str, Decimal]:
    """By all of them together."""
    return summed(*(each.takes for each in doubts))
