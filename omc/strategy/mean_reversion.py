"""Buys what fell unusually far and sells it when it has come back, has been held long enough, or fell further still."""

from dataclasses import dataclass
from typing import ClassVar

import numba
import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame, read_only
from omc.feature.indicator import Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.parameter import real, whole
from omc.trading.exits import Exits


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
    stop_loss: float = real(
        0.05, low=0.0001, high=1.0, about="fraction lost since the entry that sells; 1 never does", search=(0.01, 0.2)
    )
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is wanted")

    def check_together(self) -> None:
        if self.exit_z >= self.entry_z:
            raise InvalidInput(f"{self.algorithm_type}: exit_z {self.exit_z} must be less than entry_z {self.entry_z}")

    @property
    def memory_bars(self) -> int:
        return self.window_bars + self.hold_bars - 1

    @property
    def exits(self) -> Exits:
        return Exits(stop_loss=self.stop_loss) if self.stop_loss < 1.0 else Exits()

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        return _weights(
            (read_only(frame.bid), read_only(frame.ask), read_only(frame.last)),
            indicators.mean(self.window_bars),
            indicators.deviation(self.window_bars),
            (-float(self.entry_z), -float(self.exit_z), self.hold_bars),
            self.exposure / max(len(frame.coins), 1),
        )


@numba.njit(cache=True, nogil=True)
def _weights(prices, mean, deviation, rule, share):  # type: ignore[no-untyped-def]
    bid, ask, last = prices
    enter_below, leave_above, hold_bars = rule
    rows, coins = mean.shape
    weights = np.zeros((rows, coins))
    bars_left = np.zeros(coins, np.int64)
    for t in range(rows):
        for c in range(coins):
            if bars_left[c] > 0:
                bars_left[c] -= 1
            if np.isnan(mean[t, c]):
                bars_left[c] = 0
                continue
            z = (last[t, c] - mean[t, c]) / deviation[t, c] if deviation[t, c] > 0.0 else 0.0
            if z < enter_below:
                bars_left[c] = hold_bars
            elif z > leave_above:
                bars_left[c] = 0
            if bars_left[c] > 0 and not np.isnan(bid[t, c]) and not np.isnan(ask[t, c]):
                weights[t, c] = share
    return weights
