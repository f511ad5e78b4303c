"""What is not sent for an account whose books cannot be believed, or not of some of its coins. Getting out stays
allowed, as far as there is something at the venue to get out of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from omc.risk.verdict import DenialReason, Denied
from omc.trading.fill import Side
from omc.trading.order import OrderIntent


@dataclass(frozen=True, slots=True)
class Closure:
    """False of nothing, and of an account that is open."""

    why: str = ""
    """Why nothing is added; empty while it is."""
    left: Mapping[str, Decimal] = field(default_factory=dict)
    """What the venue holds of each coin of which our books claim more, when it was looked at last."""
    doubted: Mapping[str, str] = field(default_factory=dict)
    """Why a person must say something of a coin before more of it is bought."""

    def __bool__(self) -> bool:
        return bool(self.why or self.doubted)

    def denied(self, intent: OrderIntent) -> Denied | None:
        """Our no to an order; None when this has nothing against it."""
        match intent.side:
            case Side.BUY if self.why:
                return Denied(intent, DenialReason.ACCOUNT_CLOSED, self.why)
            case Side.BUY if intent.coin in self.doubted:
                return Denied(intent, DenialReason.UNRESOLVED, self.doubted[intent.coin])
            case Side.SELL if self.why and intent.quantity > self.left.get(intent.coin, intent.quantity):
                there = f"the venue holds {self.left[intent.coin]:f} {intent.coin}"
                return Denied(intent, DenialReason.ACCOUNT_CLOSED, f"{there}: {self.why}")
            case _:
                return None
