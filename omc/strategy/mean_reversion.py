"""Buys what fell unusually far and sells it when it has come back, has been held long enough, or fell further still."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop
from omc.strategy.parameter import real, whole
from omc.strategy.signal import held, signals


@dataclass(eq=False)
class MeanReversion(Builtin):
    """z is how many deviations the last price is from its mean of `window_bars`; 0 for a price that never moved.

    A coin is wanted when, of the last `hold_bars` rows, one had z below -`entry_z`, and since the newest such row none
    had z above -`exit_z` or no z at all. So a decision looks back `window_bars` + `hold_bars` - 1 rows, however long
    ago anything was bought.
    """

    algorithm_type: ClassVar[str] = "mean_reversion"
    description: ClassVar[str] = (
        "Buys each coin, in equal parts, when its price is unusually far below its mean; sells when it is back, "
        "after a number of bars, or at a stop."
    )

    window_bars: int = whole(48, low=2, high=5_000, about="bars in the mean and the deviation", search=(12, 576))
    entry_z: float = real(2.0, low=0.0, high=20.0, about="deviations below the mean that buy", search=(1.0, 4.0))
    exit_z: float = real(0.5, low=-20.0, high=20.0, about="deviations below the mean that sell", search=(-1.0, 1.0))
    hold_bars: int = whole(48, low=1, high=50_000, about="bars after the newest entry that sell", search=(6, 288))
    stop_loss: float = stop(0.05)
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is wanted")

    def check_together(self) -> None:
        if self.exit_z >= self.entry_z:
            raise InvalidInput(f"{self.algorithm_type}: exit_z {self.exit_z} must be less than entry_z {self.entry_z}")

    @property
    def memory_bars(self) -> int:
        return self.window_bars + self.hold_bars - 1

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        away = frame.last - indicators.mean(self.window_bars)
        deviation = indicators.deviation(self.window_bars)
        z = np.divide(away, deviation, out=np.where(np.isnan(away), np.nan, 0.0), where=deviation > 0.0)
        leave = ~(z <= -self.exit_z)  # no z at all included
        return held(frame, signals(z < -self.entry_z, leave), self.hold_bars, self.exposure / max(len(frame.coins), 1))
