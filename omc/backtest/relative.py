"""Returns beside a benchmark's of the same bars. NaN is a bar that is not counted; what does not exist is NaN."""

import numpy as np

from omc.backtest.distribution import NOTHING
from omc.feature.frame import FloatArray

NAN = float("nan")


def beta(returns: FloatArray, benchmark: FloatArray) -> float:
    """Covariance with the benchmark's returns over their variance; NaN with fewer than two bars that count in both, or
    when the benchmark never varies."""
    ours, theirs = _both(returns, benchmark)
    away = theirs - theirs.mean() if len(theirs) > 1 else theirs * 0
    spread = (away**2).sum()
    return float((away * (ours - ours.mean())).sum() / spread) if spread > NOTHING**2 * len(theirs) else NAN


def alpha(returns: FloatArray, benchmark: FloatArray, bars_per_year: float) -> float:
    """The mean return that beta does not explain (Jensen 1968), compounded over a year; NaN without a beta."""
    ours, theirs = _both(returns, benchmark)
    slope = beta(returns, benchmark)
    if np.isnan(slope):
        return NAN
    with np.errstate(over="ignore"):
        grown = np.float64(1 + (ours - slope * theirs).mean()) ** bars_per_year - 1
    return float(grown) if np.isfinite(grown) else NAN


def _both(returns: FloatArray, benchmark: FloatArray) -> tuple[FloatArray, FloatArray]:
    counted = ~np.isnan(returns + benchmark)
    return returns[counted], benchmark[counted]
