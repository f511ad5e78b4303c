"""Buys step by step on the way down and sells step by step on the way up, within a channel of past prices."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop
from omc.strategy.parameter import real, whole
from omc.strategy.signal import quoted


@dataclass(eq=False)
class Grid(Builtin):
    """The grid is the channel from the lowest to the highest price of the last `window_bars`, cut into `levels` of
    equal height. A coin is held in full in the lowest level, not at all in the highest, and in equal steps between; not
    at all, either, in a channel narrower than `least_width` of the price, whose steps would not pay for their trades.

    A grid of resting orders depends on the order in which they were filled, however long ago. This one depends on where
    the price stands now, so it trades the same steps without a memory of its own, and its grid moves with the market.
    """

    algorithm_type: ClassVar[str] = "grid"
    description: ClassVar[str] = (
        "Holds the more of each coin the lower its price stands in its channel of past prices, in equal steps."
    )

    window_bars: int = whole(576, low=2, high=50_000, about="bars of the channel", search=(96, 4_032))
    levels: int = whole(6, low=2, high=100, about="steps of the grid", search=(3, 20))
    least_width: float = real(
        0.02,
        low=0.0,
        high=1.0,
        about="height of the channel, as a fraction of the price, to trade in",
        search=(0.0, 0.1),
    )
    stop_loss: float = stop()
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is at its lowest")

    @property
    def memory_bars(self) -> int:
        return self.window_bars

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        low, high = indicators.lowest(self.window_bars), indicators.highest(self.window_bars)
        height = high - low
        wanted = quoted(frame) & (height > 0.0) & (height >= self.least_width * frame.last)
        place = np.divide(frame.last - low, height, out=np.ones_like(low), where=wanted)
        level = np.minimum(np.floor(place * self.levels), self.levels - 1.0)
        part = (self.levels - 1.0 - level) / (self.levels - 1.0)
        return np.where(wanted, part * (self.exposure / len(frame.coins)), 0.0)
