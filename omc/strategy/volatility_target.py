"""Holds every coin all the time, the less of it the more it moves."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.feature.schedule import BARS_A_YEAR
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop
from omc.strategy.parameter import real, whole
from omc.strategy.signal import quoted


@dataclass(eq=False)
class VolatilityTarget(Builtin):
    """Each of C coins gets `exposure` / C of equity, and where its volatility of the last `window_bars` returns (of a
    year of five-minute bars, which scales with the square root of time) is above `target_volatility`, that times target
    over volatility. What is not held stays in cash; nothing is borrowed for a calm coin."""

    algorithm_type: ClassVar[str] = "volatility_target"
    description: ClassVar[str] = (
        "Holds each coin in equal parts, and less of one while it moves more in a year than it is meant to."
    )

    window_bars: int = whole(288, low=2, high=50_000, about="returns in the volatility", search=(72, 2_016))
    target_volatility: float = real(
        0.4, low=0.001, high=10.0, about="volatility of a year that a coin is held in full up to", search=(0.1, 1.0)
    )
    stop_loss: float = stop()
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is calm")

    @property
    def memory_bars(self) -> int:
        return self.window_bars + 1

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        volatility = indicators.volatility(self.window_bars) * sqrt(BARS_A_YEAR)
        part = self.target_volatility / np.maximum(volatility, self.target_volatility)
        wanted = quoted(frame) & ~np.isnan(volatility)
        return np.where(wanted, part * (self.exposure / len(frame.coins)), 0.0)
