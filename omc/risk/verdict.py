"""The risk book's answer to an intent. An expected no is a value."""

from dataclasses import dataclass
from enum import StrEnum

from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus


class DenialReason(StrEnum):
    KILL_SWITCH = "kill_switch"
    NOT_ACTIVE = "not_active"
    ORDER_TOO_LARGE = "order_too_large"
    POSITION_TOO_LARGE = "position_too_large"
    DAILY_LOSS = "daily_loss"
    NOT_ENOUGH_CASH = "not_enough_cash"
    NOT_HELD = "not_held"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Approved:
    """The only thing that a venue takes."""

    intent: OrderIntent
    sender: Lease | None = None
    """Of the risk desk that sends it: a venue whose requests are numbered gives none to a desk that was replaced."""


@dataclass(frozen=True, slots=True)
class Denied:
    """Our own house's no; `message` gives the figure and the limit."""

    intent: OrderIntent
    reason: DenialReason
    message: str

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
