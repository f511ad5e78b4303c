"""Rotates into the coins that rose most: a ranking of all of them, renewed on a schedule."""

from dataclasses import dataclass
from typing import ClassVar

import numba
import numpy as np

from omc.feature.frame import FloatArray, Frame, read_only
from omc.feature.indicator import Indicators
from omc.feature.schedule import period_starts
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop
from omc.strategy.parameter import real, whole
from omc.strategy.signal import quoted

_LEAST_VOLATILITY = 1e-6


@dataclass(eq=False)
class MomentumRotation(Builtin):
    """In the first row of each period of `rebalance_bars` (periods begin at their multiples since 1970), coins are
    ranked by their return over `lookback_bars`; the first `top` whose return is above `least_return` are held until
    the next ranking. Each gets 1 / `top` of `exposure`; with `volatility_bars` they share what they get in proportion
    to one over their volatility. Places that no coin earned stay in cash."""

    algorithm_type: ClassVar[str] = "momentum_rotation"
    description: ClassVar[str] = (
        "Ranks several coins by their past return on a schedule and holds the best, in equal parts or more of a calmer "
        "one."
    )
    fewest_coins: ClassVar[int] = 2

    lookback_bars: int = whole(288, low=1, high=50_000, about="bars of the return that ranks", search=(36, 2_016))
    top: int = whole(2, low=1, high=100, about="how many coins to hold at most", search=(1, 5))
    rebalance_bars: int = whole(288, low=1, high=50_000, about="bars from one ranking to the next", search=(36, 2_016))
    least_return: float = real(
        0.0, low=-1.0, high=10.0, about="return that a coin must have exceeded to be held", search=(-0.02, 0.05)
    )
    volatility_bars: int = whole(
        0, low=0, high=50_000, about="bars of the volatility by whose inverse coins are weighted; 0 for equal parts"
    )
    stop_loss: float = stop()
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every place is taken")

    @property
    def memory_bars(self) -> int:
        return self.rebalance_bars + max(self.lookback_bars, self.volatility_bars)

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        returns = indicators.returns(self.lookback_bars)
        spread = indicators.volatility(self.volatility_bars) if self.volatility_bars else np.ones_like(returns)
        starts = period_starts(frame.times, self.rebalance_bars)
        rule = (self.top, float(self.least_return), self.exposure / self.top)
        return _weights(returns, read_only(spread), starts, read_only(quoted(frame)), rule)


@numba.njit(cache=True, nogil=True)
def _weights(returns, volatility, starts, quoted, rule):  # type: ignore[no-untyped-def]
    top, least_return, place = rule
    rows, coins = returns.shape
    weights = np.zeros((rows, coins))
    ranked_at, chosen = -1, np.zeros(coins)
    for t in range(rows):
        if starts[t] < 0:
            continue
        if starts[t] != ranked_at:
            ranked_at = starts[t]
            chosen[:] = 0.0
            count, total = 0, 0.0
            while count < top:
                best = -1
                for c in range(coins):
                    # What is NaN exceeds nothing; among equals the first coin comes first.
                    free = chosen[c] == 0.0 and volatility[ranked_at, c] >= 0.0
                    exceeded = least_return if best < 0 else returns[ranked_at, best]
                    if free and returns[ranked_at, c] > exceeded:
                        best = c
                if best < 0:
                    break
                chosen[best] = 1.0 / max(volatility[ranked_at, best], _LEAST_VOLATILITY)
                total += chosen[best]
                count += 1
            if count > 0:
                chosen *= place * count / total
        for c in range(coins):
            if quoted[t, c]:
                weights[t, c] = chosen[c]
    return weights
