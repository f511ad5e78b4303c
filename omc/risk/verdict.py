"""The risk book's answer to an intent. An expected no is a value."""

from dataclasses import dataclass
from enum import StrEnum

from omc.trading.order import OrderIntent


class DenialReason(StrEnum):
    KILL_SWITCH = "kill_switch"
    NOT_ACTIVE = "not_active"
    ORDER_TOO_LARGE = "order_too_large"
    POSITION_TOO_LARGE = "position_too_large"
    DAILY_LOSS = "daily_loss"
    NOT_ENOUGH_CASH = "not_enough_cash"
    NOT_HELD = "not_held"


@dataclass(frozen=True, slots=True)
class Approved:
    """The only thing that a venue takes."""

    intent: OrderIntent


@dataclass(frozen=True, slots=True)
class Denied:
    """Our own house's no; `message` gives the figure and the limit."""

    intent: OrderIntent
    reason: DenialReason
    message: str


Verdict = Approved | Denied
