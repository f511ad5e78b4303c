"""Dual momentum: of the coins that rise, hold the ones that rise most, and nothing while none does.

Once in `review_bars` coins are ranked by what they gained over `momentum_bars`. The best `held_coins` are held in equal
parts, each only if it gained at all (its own momentum, not only the weakness of the others) and stands above its mean
of `trend_bars`.
"""

from dataclasses import dataclass

import numpy as np

from omc.strategy.parameter import real, whole


@dataclass
class DualMomentum:
    momentum_bars: int = whole(864, low=2, high=20_000, about="bars over which gains are compared", search=(288, 1728))
    trend_bars: int = whole(288, low=2, high=20_000, about="bars of the mean to stand above", search=(144, 1152))
    review_bars: int = whole(288, low=1, high=5_000, about="bars between two reviews")
    held_coins: int = whole(2, low=1, high=20, about="coins to hold at most")
    least_gain: float = real(0.01, low=0.0, high=1.0, about="gain that a coin must have made", search=(0.0, 0.05))

    @property
    def memory_bars(self):
        return max(self.momentum_bars + 1, self.trend_bars) + self.review_bars

    def predict(self, frame):
        prices = frame.data()
        gains = prices / prices.shift(self.momentum_bars) - 1
        ranks = gains.rank(axis=1, ascending=False, method="first")
        rising = (gains > self.least_gain) & (prices > frame.indicators.mean(self.trend_bars))
        chosen = (rising & (ranks <= self.held_coins)).astype(float)
        # Reviews fall on multiples of review_bars since 1970: a backtest and the floor begin at different bars, and
        # must review at the same ones. Between two of them what was chosen stays.
        bar = (frame.times - np.datetime64(0, "s")) // np.timedelta64(5, "m")
        kept = chosen[bar % self.review_bars == 0].reindex(prices.index).ffill(limit=self.review_bars - 1)
        return kept.fillna(0.0) / self.held_coins
