"""The risk book's answer to an intent. An expected no is a value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus


class DenialReason(StrEnum):
    KILL_SWITCH = "kill_switch"
    ADDING_HALTED = "adding_halted"
    NOT_ACTIVE = "not_active"
    VENUE_CLOSED = "venue_closed"
    STALE_QUOTES = "stale_quotes"
    ORDER_TOO_LARGE = "order_too_large"
    POSITION_TOO_LARGE = "position_too_large"
    CONCENTRATED = "concentrated"
    GROSS_TOO_LARGE = "gross_too_large"
    NET_TOO_LARGE = "net_too_large"
    LEVERAGE = "leverage"
    NOT_ENOUGH_CASH = "not_enough_cash"
    NOT_HELD = "not_held"
    OUT_OF_BAND = "out_of_band"
    TOO_MANY_ORDERS = "too_many_orders"
    DUPLICATE = "duplicate"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    LOSING_STREAK = "losing_streak"
    COOLING = "cooling"
    TOO_LATE = "too_late"
    ACCOUNT_CLOSED = "account_closed"
    """The venue holds less than our books claim."""
    UNRESOLVED = "unresolved"
    """A person must say first what became of another order of the coin."""
    WITHDRAWN = "withdrawn"
    FORCED_OUT = "forced_out"
    """Its owner had the coin sold, and the trader has not heard of it yet."""


@dataclass(frozen=True, slots=True)
class Approved:
    """The only thing that a venue takes."""

    intent: OrderIntent
    sender: Lease | None = None
    """Of the risk desk that sends it: a venue whose requests are numbered gives none to a desk that was replaced."""
    gate: Callable[[], None] | None = field(default=None, compare=False, repr=False)
    """Asked right before the bytes leave. Halted: a kill switch was tripped since, and nothing is sent."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit of `level` (deployment, account, platform) that an order, or the market, would exceed or has exceeded."""

    level: str
    limit: str
    figure: Decimal
    threshold: Decimal


@dataclass(frozen=True, slots=True)
class Denied:
    """Our own house's no; `message` gives the figure and the limit."""

    intent: OrderIntent
    reason: DenialReason
    message: str
    breach: Breach | None = field(default=None, compare=False)

    def of(self, order: Order) -> Order:
        """`order`, denied for this reason: what a blotter stores, and `denial` reads back."""
        return order.become(OrderStatus.DENIED, message=f"{self.reason}: {self.message}")


def denial(order: Order) -> Denied:
    """The no that a denied order once got; asking again gets it again."""
    reason, _, message = (order.message or "").partition(": ")
    if order.status is not OrderStatus.DENIED:
        raise ValueError(f"order {order.intent.client_order_id} was not denied: it is {order.status}")
    return Denied(order.intent, DenialReason(reason), message)


Verdict = Approved | Denied
