"""Buys what was sold too much, as Wilder's relative strength index tells, and sells it when it is strong again."""

from dataclasses import dataclass
from typing import ClassVar

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import RSI_WINDOWS, Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop, target
from omc.strategy.parameter import real, whole
from omc.strategy.signal import held, signals


@dataclass(eq=False)
class RelativeStrength(Builtin):
    """A coin is wanted when, of the last `hold_bars` rows, one had an index below `buy_below`, and since the newest
    such row none had one above `sell_above` or none at all. The index sees 16 `window_bars` + 1 rows."""

    algorithm_type: ClassVar[str] = "rsi"
    description: ClassVar[str] = (
        "Buys each coin, in equal parts, when its relative strength index is low; sells when it is high, after a "
        "number of bars, at a stop or at a target."
    )

    window_bars: int = whole(14, low=2, high=3_000, about="bars of the index", search=(5, 60))
    buy_below: float = real(30.0, low=0.0, high=100.0, about="index below which to buy", search=(10.0, 40.0))
    sell_above: float = real(60.0, low=0.0, high=100.0, about="index above which to sell", search=(45.0, 80.0))
    hold_bars: int = whole(96, low=1, high=50_000, about="bars after the newest entry that sell", search=(12, 576))
    stop_loss: float = stop(0.05)
    take_profit: float = target()
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is wanted")

    def check_together(self) -> None:
        if self.buy_below > self.sell_above:
            raise InvalidInput(
                f"{self.algorithm_type}: buy_below {self.buy_below} must not exceed sell_above {self.sell_above}"
            )

    @property
    def memory_bars(self) -> int:
        return RSI_WINDOWS * self.window_bars + self.hold_bars

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        index = indicators.rsi(self.window_bars)
        leave = ~(index <= self.sell_above)  # no index at all included
        return held(frame, signals(index < self.buy_below, leave), self.hold_bars, self.exposure / len(frame.coins))
