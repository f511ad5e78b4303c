"""How returns spread: the shape of all of them, and how bad the worst are.

`returns` are fractions, one a bar, in which NaN is a bar that is not counted. What does not exist is NaN.
"""

import numpy as np

from omc.feature.frame import FloatArray

NAN = float("nan")
NOTHING = 1e-14
"""Returns of a curve that grows by one fraction differ in their last bits; deviation that small is none."""
TAIL = 0.05
"""The part of bars that value at risk and expected shortfall look at."""


def counted(returns: FloatArray) -> FloatArray:
    """Those that are not NaN."""
    return returns[~np.isnan(returns)]


def skewness(returns: FloatArray) -> float:
    """Third central moment over the deviation cubed, both of the population; NaN for returns that never vary."""
    return _standardized(returns, 3)


def kurtosis(returns: FloatArray) -> float:
    """Fourth central moment over the variance squared, both of the population: 3 for a normal distribution; NaN for
    returns that never vary."""
    return _standardized(returns, 4)


def _standardized(returns: FloatArray, power: int) -> float:
    known = counted(returns)
    if len(known) < 2 or not known.std(ddof=1) > NOTHING:
        return NAN
    return float((((known - known.mean()) / known.std()) ** power).mean())


def value_at_risk(returns: FloatArray, tail: float = TAIL) -> float:
    """The return below which a part `tail` of the bars fell (interpolated quantile): negative for a loss."""
    known = counted(returns)
    return float(np.quantile(known, tail)) if len(known) else NAN


def expected_shortfall(returns: FloatArray, tail: float = TAIL) -> float:
    """The mean of the worst part `tail` of the returns, one at least (conditional value at risk); NaN for none."""
    known = np.sort(counted(returns))
    worst = known[: int((len(known) - 1) * tail) + 1]
    return float(worst.mean()) if len(worst) else NAN
