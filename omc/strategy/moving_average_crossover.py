"""Follows a trend: holds a coin while its recent average price is above its longer one."""

from dataclasses import dataclass
from typing import ClassVar

import numba
import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame, read_only
from omc.feature.indicator import Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.parameter import real, whole


@dataclass(eq=False)
class MovingAverageCrossover(Builtin):
    """Each of C coins whose mean of `fast_bars` is above that of `slow_bars` gets `exposure` / C of equity."""

    algorithm_type: ClassVar[str] = "moving_average_crossover"
    description: ClassVar[str] = (
        "Holds each coin, in equal parts, while the mean of its last prices is above the mean of a longer past."
    )

    fast_bars: int = whole(12, low=1, high=50_000, about="bars in the fast mean", search=(3, 96))
    slow_bars: int = whole(72, low=2, high=50_000, about="bars in the slow mean", search=(24, 864))
    entry_threshold: float = real(
        0.0, low=0.0, high=1.0, about="fraction by which fast must be above slow", search=(0.0, 0.01)
    )
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is wanted")

    def check_together(self) -> None:
        if self.fast_bars >= self.slow_bars:
            raise InvalidInput(
                f"{self.algorithm_type}: fast_bars {self.fast_bars} must be less than slow_bars {self.slow_bars}"
            )

    @property
    def memory_bars(self) -> int:
        return self.slow_bars

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        return _weights(
            read_only(frame.bid),
            read_only(frame.ask),
            indicators.mean(self.fast_bars),
            indicators.mean(self.slow_bars),
            1.0 + self.entry_threshold,
            self.exposure / max(len(frame.coins), 1),
        )


@numba.njit(cache=True, nogil=True)
def _weights(bid, ask, fast, slow, margin, share):  # type: ignore[no-untyped-def]
    weights = np.empty(fast.shape)
    wanted, of_bid, of_ask, of_fast, of_slow = (
        weights.ravel(),
        bid.ravel(),
        ask.ravel(),
        fast.ravel(),
        slow.ravel(),
    )
    # One line without a branch: the compiler decides several rows at once.
    for i in range(wanted.size):
        # A mean that is NaN is above nothing, and a price that is NaN is no price.
        above = (of_fast[i] > of_slow[i] * margin) & (of_bid[i] == of_bid[i]) & (of_ask[i] == of_ask[i])
        wanted[i] = share if above else 0.0
    return weights
