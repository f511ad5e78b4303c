"""Follows a breakout: buys what rises above its channel of past prices and sells what falls out of a shorter one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop, trail
from omc.strategy.parameter import real, whole
from omc.strategy.signal import held, signals


@dataclass(eq=False)
class ChannelBreakout(Builtin):
    """Donchian's channel: a coin is wanted when, of the last `hold_bars` rows, one was above the highest price of the
    `entry_bars` rows before it, and since the newest such row none was below the lowest of the `exit_bars` before it or
    without a price. A trend that goes on breaks out again and again, so it is held for as long as it lasts."""

    algorithm_type: ClassVar[str] = "channel_breakout"
    description: ClassVar[str] = (
        "Buys each coin, in equal parts, when its price rises above its highest of some time; sells when it falls "
        "below its lowest of a shorter time, after a number of bars, or at a stop."
    )

    entry_bars: int = whole(144, low=1, high=50_000, about="bars whose highest price buys", search=(24, 1_152))
    exit_bars: int = whole(72, low=1, high=50_000, about="bars whose lowest price sells", search=(12, 576))
    hold_bars: int = whole(288, low=1, high=50_000, about="bars after the newest entry that sell", search=(48, 1_152))
    stop_loss: float = stop()
    trailing: float = trail()
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is wanted")

    @property
    def memory_bars(self) -> int:
        return max(self.entry_bars, self.exit_bars) + self.hold_bars

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        above, below = np.full(frame.last.shape, np.nan), np.full(frame.last.shape, np.nan)
        above[1:] = indicators.highest(self.entry_bars)[:-1]
        below[1:] = indicators.lowest(self.exit_bars)[:-1]
        leave = ~(frame.last >= below)  # no price or no channel at all included
        return held(
            frame, signals((frame.last > above) & ~leave, leave), self.hold_bars, self.exposure / len(frame.coins)
        )
