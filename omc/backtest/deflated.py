"""What is left of a Sharpe ratio once it is known how often was tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, sqrt
from typing import Self

from omc.backtest import overfitting
from omc.backtest.metrics import NAN, YEAR_S
from omc.promotion.trials import Tally


@dataclass(frozen=True, slots=True)
class Deflated:
    """The deflated Sharpe ratio (Bailey and López de Prado 2014): `probability` is that of the true ratio being above
    `threshold`, the best that as many tries of no skill would show. NaN for what cannot be said. Ratios are
    annualized."""

    sharpe: float
    threshold: float
    probability: float
    tries: int

    @classmethod
    def of(cls, metrics: Mapping[str, float | None], bar_s: float, tally: Tally, *, folds: int = 0) -> Self:
        """Of a past with these `metrics` (sharpe, skewness, kurtosis, bars) of all its `folds`, found in the tries of
        `tally`: what their ratios would spread by, had they been measured for as long as this one was."""
        count = max(1, tally.tries)
        sharpe, skewness, kurtosis, bars = (metrics.get(name) for name in ("sharpe", "skewness", "kurtosis", "bars"))
        returns = 0 if bars is None else int(bars) - max(1, folds)
        spread = 0.0 if count == 1 else tally.variance_at(returns * bar_s / YEAR_S)
        threshold = NAN if isnan(spread) else overfitting.expected_max_sharpe(count, spread)
        if sharpe is None:
            return cls(NAN, threshold, NAN, count)
        if skewness is None or kurtosis is None or bars is None or isnan(threshold):
            return cls(sharpe, threshold, NAN, count)
        year = sqrt(YEAR_S / bar_s)
        chance = overfitting.probabilistic_sharpe(
            sharpe / year, returns, skewness, kurtosis, benchmark=threshold / year
        )
        return cls(sharpe, threshold, chance, count)

    def sentence(self) -> str:
        """For a person."""
        tried = f"Tried {self.tries:,} {'time' if self.tries == 1 else 'times'} so far"
        if isnan(self.probability):
            return f"{tried}; there is too little to say what that leaves of its Sharpe ratio."
        return (
            f"{tried}: the best of as many tries without any skill would show a Sharpe ratio of {self.threshold:.2f}; "
            f"this shows {self.sharpe:.2f}. The probability that it has skill (deflated Sharpe ratio): "
            f"{self.probability:.1%}."
        )
