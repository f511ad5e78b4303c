"""The limits that a deployment trades within."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    order_notional_aud: Decimal
    position_notional_aud: Decimal
    daily_loss_aud: Decimal

    def __post_init__(self) -> None:
        for name in ("order_notional_aud", "position_notional_aud", "daily_loss_aud"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise ValueError(f"{name} must be a positive amount, not {value}")
