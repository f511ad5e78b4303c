"""What becomes of one order of ours, given where we left it and what the venue says of it: the table, and when a
venue's silence may be believed.

That an order is not found means something only after five things hold: closed orders were looked through too, the order
has been quiet for longer than the venue may take to carry it out and to list it, one question about this very order
found nothing either, what is held could be read, and what is held leaves no room for the order. Anything less is no
answer, and no answer is never a no.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from omc.errors import IllegalTransition
from omc.trading.order import Order, OrderStatus

_S = OrderStatus


class Said(StrEnum):
    """What a venue says of one order."""

    NOT_FOUND = "not_found"
    """Neither among its open orders nor among its closed ones."""
    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


_AS_SAID: Mapping[Said, OrderStatus] = {
    Said.OPEN: _S.ACCEPTED,
    Said.PARTIAL: _S.PARTIAL,
    Said.FILLED: _S.FILLED,
    Said.CANCELLED: _S.CANCELLED,
    Said.EXPIRED: _S.EXPIRED,
    Said.REJECTED: _S.REJECTED,
}
# Asked for something whose outcome nobody can see: an order that has gone may have been filled, moved or cancelled.
_ASKED = frozenset({_S.CANCELLING, _S.REPLACING, _S.UNRESOLVED})
_NEVER_SENT = frozenset({_S.INTENT, _S.DENIED, _S.SLICED})


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where an order stands from now on. The fills that it has are kept, whatever it becomes."""

    status: OrderStatus
    fills_kept: bool = False
    """It ends before it was filled whole, and has fills."""
    ignored: bool = False
    """What the venue says changes nothing: the order was over, or was never sent."""


def order_vs_venue(local: OrderStatus, said: Said, *, has_fills: bool | None = None) -> Resolution:
    """What an order that we left as `local` is, of which the venue says `said`.

    `has_fills` says whether any of it was executed, by our books and the venue's together; left out, an order that is
    partly filled has some and no other has. NOT_FOUND is believed here: `doubts` says whether it may be.
    """
    if local.final or local in _NEVER_SENT:
        return Resolution(local, ignored=True)
    filled = local is _S.PARTIAL if has_fills is None else has_fills
    if said is Said.NOT_FOUND:
        if local in _ASKED:
            return Resolution(_S.UNRESOLVED)
        return Resolution(_S.CANCELLED, fills_kept=True) if filled else Resolution(_S.REJECTED)
    status = _AS_SAID[said]
    if status is _S.ACCEPTED and filled:
        status = _S.PARTIAL
    if status is _S.REJECTED and filled:
        # Something of it was executed, so it was no refusal.
        status = _S.CANCELLED
    return Resolution(status, fills_kept=filled and status in (_S.CANCELLED, _S.EXPIRED))


@dataclass(frozen=True, slots=True)
class Search:
    """How an order was looked for in vain."""

    closed_too: bool
    """Closed orders were looked through, not just the open ones."""
    quiet_s: float
    """How long ago the last thing happened to the order."""
    asked_alone: bool
    """One question about this order alone found nothing either."""
    balances_read: bool = True
    unexplained: str = ""
    """What the account holds that our books cannot explain, where the order could be behind it."""


def doubts(search: Search, *, threshold_s: float) -> str | None:
    """Why NOT_FOUND means nothing yet; None when it may be believed. `threshold_s` is how long the venue may
    take to carry out what it took in, and to list it."""
    if not search.closed_too:
        return "its closed orders were not looked through"
    if not search.balances_read:
        return "what the account holds could not be read"
    if not search.quiet_s > threshold_s:
        return f"something happened to it within the last {threshold_s:g} s"
    if not search.asked_alone:
        return "the venue was not asked about this order alone"
    return search.unexplained or None


def moved(order: Order, status: OrderStatus, *, message: str | None = None) -> Order:
    """`order` in `status`, by way of UNKNOWN where its own table knows no shorter one; itself when it is there."""
    if order.status is status:
        return order
    try:
        return order.become(status, message=message)
    except IllegalTransition:
        return order.become(_S.UNKNOWN).become(status, message=message)
