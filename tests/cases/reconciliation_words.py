"""The tables' words for states that have other names here."""

from omc.trading.order import OrderStatus
from omc.trading.reconciliation.table import Said

_LOCAL = {
    "INITIALIZED": "intent",
    "RELEASED": "intent",
    "CANCELED": "cancelled",
    "PARTIALLY_FILLED": "partial",
    "PENDING_UPDATE": "replacing",
    "PENDING_CANCEL": "cancelling",
}
_SAID = {"ACCEPTED": "open", "CANCELED": "cancelled", "PARTIALLY_FILLED": "partial", "MISSING": "not_found"}


def local(word: str) -> OrderStatus:
    """Where we left an order. ValueError for no state of ours."""
    return OrderStatus(_LOCAL.get(word.upper(), word.lower()))


def said(word: str) -> Said:
    """What a venue says of it. ValueError for what none says."""
    spelled = word.replace(" ", "_")
    return Said(_SAID.get(spelled.upper(), spelled.lower()))
