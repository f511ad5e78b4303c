"""Rotates into the cheap one of two coins that usually move together."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numba
import numpy as np

from omc.errors import InvalidInput
from omc.feature import doubling
from omc.feature.frame import FloatArray, Frame, read_only
from omc.feature.indicator import Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop
from omc.strategy.parameter import real, whole
from omc.strategy.signal import held, signals


@dataclass(eq=False)
class Pairs(Builtin):
    """z is how many deviations the logarithm of the first coin's price over the second's is from its mean of
    `window_bars`; 0 for a ratio that never moved. The first is wanted when, of the last `hold_bars` rows, one had z
    below -`entry_z`, and since the newest such row none had z above -`exit_z` or no z at all; the second likewise, with
    the sign of z turned. Never both.

    The textbook's pair sells the dear one short. The venue sells nothing that is not held, so here the dear one is only
    left alone: what remains is the market's risk of the cheap one.
    """

    algorithm_type: ClassVar[str] = "pairs"
    description: ClassVar[str] = (
        "Holds the cheap one of two coins while the ratio of their prices is unusually far from its mean. Nothing is "
        "sold short: the other one is only left alone."
    )
    fewest_coins: ClassVar[int] = 2
    most_coins: ClassVar[int | None] = 2

    window_bars: int = whole(288, low=2, high=50_000, about="bars in the mean and the deviation", search=(48, 2_016))
    entry_z: float = real(2.0, low=0.0, high=20.0, about="deviations from the mean that buy", search=(1.0, 4.0))
    exit_z: float = real(0.5, low=0.0, high=20.0, about="deviations from the mean that sell", search=(0.0, 1.0))
    hold_bars: int = whole(288, low=1, high=50_000, about="bars after the newest entry that sell", search=(48, 1_152))
    stop_loss: float = stop(0.1)
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold of the cheap one")

    def check_together(self) -> None:
        if self.exit_z >= self.entry_z:
            raise InvalidInput(f"{self.algorithm_type}: exit_z {self.exit_z} must be less than entry_z {self.entry_z}")

    @property
    def memory_bars(self) -> int:
        return self.window_bars + self.hold_bars - 1

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        z = indicators.shared(("ratio's z", self.window_bars), lambda: self._z(frame))
        both = np.concatenate([z, -z], axis=1)
        leave = ~(both <= -self.exit_z)  # no z at all included
        return held(frame, signals(both < -self.entry_z, leave), self.hold_bars, self.exposure)

    def _z(self, frame: Frame) -> FloatArray:
        ratio = _log_ratio(read_only(frame.last))
        away = ratio - doubling.average(ratio, self.window_bars)
        deviation = doubling.deviation(ratio, self.window_bars)
        return np.divide(away, deviation, out=np.where(np.isnan(away), np.nan, 0.0), where=deviation > 0.0)


@numba.njit(cache=True, nogil=True)
def _log_ratio(last):  # type: ignore[no-untyped-def]
    """(T, 1). One row at a time: what numpy makes of many at once need not have the same bits."""
    ratio = np.empty((len(last), 1))
    for t in range(len(last)):
        ratio[t, 0] = log(last[t, 0] / last[t, 1])
    return ratio
