"""Follows a trend while it gathers speed: Appel's moving average convergence and divergence."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import EMA_SPANS, Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop, trail
from omc.strategy.parameter import real, whole
from omc.strategy.signal import quoted


@dataclass(eq=False)
class Macd(Builtin):
    """The line is the exponential average of `fast_bars` less that of `slow_bars`; a coin is held while the line is
    above its own average of `signal_bars` by more than `entry_threshold` of the price. Each average sees 8 times its
    span, so a decision looks back 8 (`slow_bars` + `signal_bars`) - 1 rows."""

    algorithm_type: ClassVar[str] = "macd"
    description: ClassVar[str] = (
        "Holds each coin, in equal parts, while the gap between a fast and a slow average of its price is widening."
    )

    fast_bars: int = whole(72, low=1, high=5_000, about="span of the fast average", search=(6, 144))
    slow_bars: int = whole(156, low=2, high=5_000, about="span of the slow average", search=(24, 576))
    signal_bars: int = whole(54, low=1, high=5_000, about="span of the average of their difference", search=(6, 144))
    entry_threshold: float = real(
        0.0, low=0.0, high=1.0, about="fraction of the price that the histogram must exceed", search=(0.0, 0.002)
    )
    stop_loss: float = stop()
    trailing: float = trail()
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is wanted")

    def check_together(self) -> None:
        if self.fast_bars >= self.slow_bars:
            raise InvalidInput(
                f"{self.algorithm_type}: fast_bars {self.fast_bars} must be less than slow_bars {self.slow_bars}"
            )

    @property
    def memory_bars(self) -> int:
        return EMA_SPANS * (self.slow_bars + self.signal_bars) - 1

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        histogram = indicators.macd(self.fast_bars, self.slow_bars, self.signal_bars)
        wanted = quoted(frame) & (histogram > self.entry_threshold * frame.last)
        return np.where(wanted, self.exposure / len(frame.coins), 0.0)
