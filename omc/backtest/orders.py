"""Orders as a backtest takes them: what is wanted of a coin, and how it is to be brought about."""

from dataclasses import dataclass

import numpy as np

from omc.feature.frame import FloatArray


@dataclass(frozen=True, slots=True)
class Orders:
    """(T, C) arrays, NaN where nothing is said; a row is decided at its close, as weights are.

    Once given, an order works until it is carried out, the coin is closed by an exit, or another order for it is given.
    """

    targets: FloatArray
    """The part of equity to hold, or NaN to leave the coin, and an order for it that still works, as they are."""
    limits: FloatArray | None = None
    """The most a purchase may pay, the least a sale must bring: it fills at the open if the open is at or beyond it,
    inside a bar only if the price passes it."""
    triggers: FloatArray | None = None
    """The price, above the market to buy and below it to sell, at which the order begins to work."""
    stops: FloatArray | None = None
    """Where the position is given up. A target without one takes an earlier one back; a stop may be moved alone."""
    takes: FloatArray | None = None
    """Where its gain is taken, by an order that rests there: at the open if the open is at or beyond it."""
    at_close: bool = False
    """Whether what is decided at a close is traded at that close, as far as its price allows."""

    def __post_init__(self) -> None:
        for name in ("limits", "triggers", "stops", "takes"):
            prices: FloatArray | None = getattr(self, name)
            if prices is not None and prices.shape != self.targets.shape:
                raise ValueError(f"{name} has shape {prices.shape}, targets {self.targets.shape}")

    def columns(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Limits, triggers, stops and takes, (T, C) each."""
        nothing = np.full(self.targets.shape, np.nan)
        limits, triggers, stops, takes = (
            nothing if prices is None else prices for prices in (self.limits, self.triggers, self.stops, self.takes)
        )
        return limits, triggers, stops, takes
