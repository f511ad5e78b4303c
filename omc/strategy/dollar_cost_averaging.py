"""Buys a little at a time, whatever the price, and begins again after a cycle."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.feature.schedule import BAR_US, microseconds
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop, target
from omc.strategy.parameter import real, whole
from omc.strategy.signal import quoted


@dataclass(eq=False)
class DollarCostAveraging(Builtin):
    """A cycle of `cycle_bars` begins at each of its multiples since 1970 and has `purchases` equal parts. In the n-th
    of them each of C coins weighs n / `purchases` of `exposure` / C: all of it in the last part; when the next cycle
    begins, all but the first part's share is sold again.

    What was put in dollar by dollar, and when it began, nobody could tell from a few rows; so the schedule is one of
    weights, fixed by the time alone. What a coin gains above its weight is sold, like any other algorithm's, when it is
    more than the rebalance band.
    """

    algorithm_type: ClassVar[str] = "dollar_cost_averaging"
    description: ClassVar[str] = (
        "Buys each coin in equal parts spread over a cycle, whatever its price; sells and begins again when it is over."
    )

    cycle_bars: int = whole(8_640, low=2, high=1_000_000, about="five-minute bars of a cycle", search=(288, 26_000))
    purchases: int = whole(30, low=1, high=1_000, about="purchases in a cycle", search=(4, 60))
    stop_loss: float = stop()
    take_profit: float = target()
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold at the end of a cycle")

    def check_together(self) -> None:
        if self.purchases > self.cycle_bars:
            raise InvalidInput(
                f"{self.algorithm_type}: {self.purchases} purchases do not fit into a cycle of {self.cycle_bars} bars"
            )

    @property
    def memory_bars(self) -> int:
        return 1

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        cycle_us = self.cycle_bars * BAR_US
        part = microseconds(frame.times) % cycle_us * self.purchases // cycle_us + 1
        share = part / self.purchases * (self.exposure / len(frame.coins))
        return np.where(quoted(frame), share[:, None], 0.0)
