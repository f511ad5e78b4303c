"""What a venue can do and cannot, and what each means for whoever trades there."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from omc.market.terms import Terms
from omc.trading.venue import Capabilities


@dataclass(frozen=True, slots=True)
class Capability:
    """One row of a venue's table."""

    name: str
    has: bool
    means: str


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """What is known of a venue before anything is traded there."""

    name: str
    capabilities: Capabilities
    terms: Terms
    exchange_url: str | None = None
    """Where its prices, and its live orders, come from and go to."""
    live_refusal: str | None = "this platform was told of no exchange for real money"
    """Why no real money is traded there; None where it may be."""


# What it means to have it, and to lack it.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "client_order_ids": (
        "An order carries our name for it, so one that is sent twice is one order.",
        "An order cannot carry our name. When an answer is lost, its coin waits until the venue's lists have shown "
        "what became of it.",
    ),
    "order_lookup": (
        "One order can be asked for by its id.",
        "One order cannot be asked for. What became of it is read from the lists of open and completed orders.",
    ),
    "instant_order_ids": (
        "An instant order is answered with an id.",
        "An instant order has no id. It is recognized by its coin, side, amount, time and cash, and when two could be "
        "it, you are asked.",
    ),
    "resting_orders": (
        "A limit order can wait on the book.",
        "No order can wait: what is not filled at once is over.",
    ),
    "replace": (
        "A waiting order can be moved to another price without leaving the book.",
        "A waiting order is cancelled and sent anew to change its price, and may miss a fill in between.",
    ),
    "streams": (
        "Prices and fills are pushed as they happen.",
        "Prices are asked for every few seconds, and fills after each order: a stop acts on the prices that were asked "
        "for, not on those in between.",
    ),
    "read_only_keys": (
        "There are keys that only read: they can be checked here, and cannot trade.",
        "Every key can trade: nothing here can look at an account without being able to act on it.",
    ),
    "shows_withdrawal_right": (
        "It says whether a key may withdraw, and one that may is refused for live trading.",
        "It does not say whether a key may withdraw. Nothing here ever withdraws, but you must say yourself that yours "
        "cannot.",
    ),
}


def table(capabilities: Capabilities) -> list[Capability]:
    """A row for each of them, in their order."""
    rows = []
    for each in fields(capabilities):
        has: bool = getattr(capabilities, each.name)
        rows.append(Capability(each.name, has, _MEANINGS[each.name][0 if has else 1]))
    return rows
