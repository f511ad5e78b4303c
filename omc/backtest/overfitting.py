"""How much of a Sharpe ratio is skill: what its own uncertainty, and the number of tries that found it, leave of it.

Ratios are of one bar, not annualized, unless all that are handed in are annualized alike. `skewness` and `kurtosis`
(normal: 0 and 3) are of the returns. Probabilities are fractions. What cannot be said is NaN.
"""

from math import e, inf, sqrt
from statistics import NormalDist

from omc.backtest.cscv import cross_validate
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray

NAN = float("nan")
EULER = 0.5772156649015329
_NORMAL = NormalDist()


def probabilistic_sharpe(
    sharpe: float, returns: int, skewness: float = 0.0, kurtosis: float = 3.0, *, benchmark: float = 0.0
) -> float:
    """The probability that the true ratio is above `benchmark`, when that many `returns` showed `sharpe` (Bailey and
    López de Prado 2012, equation 11). NaN with fewer than two returns, and for a shape that no returns have."""
    variance = _variance(sharpe, skewness, kurtosis)
    if returns < 2 or not 0 < variance < inf:
        return NAN
    return _NORMAL.cdf((sharpe - benchmark) * sqrt((returns - 1) / variance))


def expected_max_sharpe(tries: int, variance: float) -> float:
    """The best ratio that so many independent `tries` without skill are expected to show, when the ratios of tries have
    `variance`, in the square of the unit of the answer (Bailey and López de Prado 2014, equation 1): 0 for one try."""
    if tries < 2:
        return 0.0
    # Of the other tail, which loses no digits however often was tried.
    usual, beyond = -_NORMAL.inv_cdf(1 / tries), -_NORMAL.inv_cdf(1 / (tries * e))
    return sqrt(variance) * ((1 - EULER) * usual + EULER * beyond) if variance >= 0 else NAN


def deflated_sharpe(
    sharpe: float,
    returns: int,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    *,
    tries: int,
    variance: float,
) -> float:
    """The probability that there is skill behind `sharpe`, the best of `tries` whose ratios, a bar as well, have
    `variance` (Bailey and López de Prado 2014, equation 2)."""
    threshold = expected_max_sharpe(tries, variance)
    return probabilistic_sharpe(sharpe, returns, skewness, kurtosis, benchmark=threshold)


def min_track_record_length(
    sharpe: float,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    *,
    benchmark: float = 0.0,
    confidence: float = 0.95,
) -> float:
    """How many returns it takes to say with `confidence` that the true ratio is above `benchmark` (Bailey and López de
    Prado 2012, equation 13): 1 for a confidence of a half or less. NaN for a ratio that is not above it, since no
    record is long enough. InvalidInput for a confidence that is no fraction."""
    if not 0 < confidence < 1:
        raise InvalidInput(f"confidence must be a fraction above 0 and below 1, not {confidence}")
    variance = _variance(sharpe, skewness, kurtosis)
    if not sharpe > benchmark or not 0 < variance < inf:
        return NAN
    root = max(0.0, _NORMAL.inv_cdf(confidence)) / (sharpe - benchmark)
    return 1 + variance * root * root


def probability_of_overfitting(moments: FloatArray) -> float:
    """Of (N, B, 3) moments of N points in B blocks of time: `cscv.cross_validate` says more. NaN when fewer than two
    points traded."""
    return cross_validate(moments).probability


def _variance(sharpe: float, skewness: float, kurtosis: float) -> float:
    """Of an estimated ratio, times the number of returns less one (Mertens 2002, Lo 2002)."""
    return 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe * sharpe
