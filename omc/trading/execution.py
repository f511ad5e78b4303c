"""How a deployment's orders are worked: whether what the book does not give at once may wait there, and whether large
orders are carried out in slices. Everything is off unless it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Any, Self

LONGEST_S = 86_400.0
"""Of a resting order, and of the time that slices are spread over: a trader waits for its order to end."""
MOST_SLICES = 100


class Style(StrEnum):
    """How the slices of an order share out its quantity."""

    TWAP = "twap"
    """Alike, at equal distances in time."""
    VWAP = "vwap"
    """As the coin's volume was spread over the same times of day."""


class Routing(StrEnum):
    """How the way to the venue's price is chosen."""

    FEE = "fee"
    """By its fee alone, as a backtest assumes: on the book where the coin has one."""
    COST = "cost"
    """By what the order is expected to cost in all, see `omc.trading.routing`."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A deployment's policy for its orders."""

    slice_above_aud: Decimal | None = None
    """Orders worth more than this are carried out in slices; None slices nothing."""
    slices: int = 5
    over_s: float = 60.0
    """The time that the slices are spread over, by the venue's clock. Where that stands still while a trader trades, as
    on a tape in lock-step, they are sent one after the other."""
    style: Style = Style.TWAP
    good_for_s: float = 0.0
    """How long an order on the book may rest there; 0 takes what it gives at once."""
    tolerance_bps: float | None = None
    """Slippage beyond this is flagged; None flags nothing."""
    routing: Routing = Routing.FEE

    def __post_init__(self) -> None:
        above = self.slice_above_aud
        if above is not None and not (above.is_finite() and above > 0):
            raise ValueError(f"slice_above_aud must be a positive amount, not {above}")
        if not 2 <= self.slices <= MOST_SLICES:
            raise ValueError(f"slices must be from 2 to {MOST_SLICES}, not {self.slices}")
        for name in ("over_s", "good_for_s"):
            value: float = getattr(self, name)
            if not 0.0 <= value <= LONGEST_S:
                raise ValueError(f"{name} must be from 0 to {LONGEST_S:g} seconds, not {value}")
        if self.tolerance_bps is not None and not (isfinite(self.tolerance_bps) and self.tolerance_bps >= 0):
            raise ValueError(f"tolerance_bps must be a number from 0, not {self.tolerance_bps}")

    @classmethod
    def told(cls, stored: Mapping[str, Any]) -> Self:
        """From what `asdict` made of one, read back from JSON; what is left out is as by default."""
        known: dict[str, Any] = {each.name: stored[each.name] for each in fields(cls) if each.name in stored}
        if known.get("slice_above_aud") is not None:
            known["slice_above_aud"] = Decimal(known["slice_above_aud"])
        if "style" in known:
            known["style"] = Style(known["style"])
        if "routing" in known:
            known["routing"] = Routing(known["routing"])
        return cls(**known)


AT_ONCE = Execution()
"""Whole orders, and of the book only what it gives at once."""
