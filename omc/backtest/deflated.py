"""What is left of a Sharpe ratio once it is known how often was tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, sqrt
from typing import Self

from omc.backtest import overfitting
from omc.backtest.metrics import NAN, YEAR_S


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
    def of(cls, metrics: Mapping[str, float | None], bar_s: float, *, tries: int, variance: float) -> Self:
        """Of a past with these `metrics` (sharpe, skewness, kurtosis, bars), found in `tries` whose annualized ratios
        have `variance` (NaN: too few of them have one)."""
        count = max(1, tries)
        spread = variance if count > 1 else 0.0
        threshold = NAN if isnan(spread) else overfitting.expected_max_sharpe(count, spread)
        sharpe, skewness, kurtosis, bars = (metrics.get(name) for name in ("sharpe", "skewness", "kurtosis", "bars"))
        if sharpe is None:
            return cls(NAN, threshold, NAN, count)
        if skewness is None or kurtosis is None or bars is None or isnan(threshold):
            return cls(sharpe, threshold, NAN, count)
        year = sqrt(YEAR_S / bar_s)
        chance = overfitting.probabilistic_sharpe(
            sharpe / year, int(bars) - 1, skewness, kurtosis, benchmark=threshold / year
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
