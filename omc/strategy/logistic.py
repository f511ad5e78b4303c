"""A logistic regression, fitted by sums that always run in the same order.

scikit-learn would leave the order of its sums to a linear algebra library, which chooses it by the processor and the
number of threads: the floor's model would differ from the backtest's in its last bits. The optimum is the same.
"""

from dataclasses import dataclass
from math import exp, log, log1p
from typing import ClassVar

import numba
import numpy as np

from omc.feature.frame import FloatArray, read_only
from omc.strategy.model import Fitted, Scorer
from omc.strategy.parameter import real

_MOST_STEPS = 100
_MOST_HALVINGS = 30
_CLOSE = 1e-7
_PART, _MANY = 16, 4_000
_TOGETHER = 4
_SMALL = 1e-10


@dataclass(eq=False)
class Logistic(Fitted):
    """Predictors are scaled to mean 0 and deviation 1 over the rows that it learns from."""

    algorithm_type: ClassVar[str] = "logistic"
    description: ClassVar[str] = (
        "Holds each coin, in equal parts, while a logistic regression on its recent past, fitted anew on a schedule, "
        "expects a gain after costs."
    )

    penalty: float = real(
        1.0, low=1e-6, high=1e6, about="weight of the coefficients' squares against the rows'", search=(0.1, 100.0)
    )

    def learn(self, found: FloatArray, gained: FloatArray, weights: FloatArray) -> Scorer:
        return LogisticRegression.fit(found, gained, weights, float(self.penalty))


@dataclass(frozen=True, slots=True)
class LogisticRegression:
    """Log-odds of intercept + the sum of coefficient * (predictor - center) / scale."""

    center: FloatArray
    scale: FloatArray
    coefficients: FloatArray
    intercept: float

    @classmethod
    def fit(cls, found: FloatArray, answers: FloatArray, weights: FloatArray, penalty: float) -> "LogisticRegression":
        """Minimizes the weighted sum of the rows' log-losses plus `penalty` / 2 times the squared coefficients
        (scikit-learn's C is 1 / `penalty`), by Newton's method with halved steps where a whole one leads up. (n, F)
        predictors, (n,) answers, each 0.0 or 1.0, both among them, and (n,) weights of 0 or more."""
        center, scale, scaled = _scaled(read_only(found))
        answers, weights, solved = read_only(answers), read_only(weights), np.zeros(scaled.shape[1])
        # A part of many rows leads close to their optimum, and the rest of the way is short.
        for step in (_PART, 1) if len(scaled) > _MANY else (1,):
            some = np.ascontiguousarray(scaled[::step]), read_only(answers[::step]), read_only(weights[::step])
            solved = _newton(*some, penalty / step, solved)
        return cls(center, scale, solved[:-1].copy(), float(solved[-1]))

    def __call__(self, found: FloatArray) -> FloatArray:
        return _scores(read_only(found), self.center, self.scale, self.coefficients, self.intercept)


@numba.njit(cache=True, nogil=True)
def _scaled(found):  # type: ignore[no-untyped-def]
    """Mean, deviation (1 for what never varies) and scaled predictors, with a column of ones at the end."""
    rows, count = found.shape
    center, scale = np.zeros(count), np.zeros(count)
    for i in range(rows):
        for j in range(count):
            center[j] += found[i, j]
    center /= rows
    for i in range(rows):
        for j in range(count):
            away = found[i, j] - center[j]
            scale[j] += away * away
    scaled = np.ones((rows, count + 1))
    for j in range(count):
        scale[j] = np.sqrt(scale[j] / rows) if scale[j] > 0.0 else 1.0
    for i in range(rows):
        for j in range(count):
            scaled[i, j] = (found[i, j] - center[j]) / scale[j]
    return center, scale, scaled


@numba.njit(cache=True, nogil=True)
def _scores(found, center, scale, coefficients, intercept):  # type: ignore[no-untyped-def]
    scores = np.full(len(found), intercept)
    for i in range(len(found)):
        for j in range(found.shape[1]):
            scores[i] += (found[i, j] - center[j]) / scale[j] * coefficients[j]
    return scores


@numba.njit(cache=True, nogil=True)
def _newton(scaled, answers, weights, penalty, start):  # type: ignore[no-untyped-def]
    """Coefficients, and the intercept last, which is not penalized; from `start` where that is better than zeros."""
    size = scaled.shape[1]
    at, gradient, hessian = start, np.empty(size), np.empty((size, size))
    loss = _look(scaled, answers, weights, penalty, at, gradient, hessian)
    if loss >= log(2.0) * weights.sum():
        at = np.zeros(size)
        loss = _look(scaled, answers, weights, penalty, at, gradient, hessian)
    for _ in range(_MOST_STEPS):
        step = _solved(hessian, gradient)
        # Each step squares what the one before it left: after a small one nothing is left.
        if np.abs(step).max() < _CLOSE:
            return at - step
        for _ in range(_MOST_HALVINGS):
            there = at - step
            down = _look(scaled, answers, weights, penalty, there, gradient, hessian)
            if down <= loss + _SMALL * abs(loss):
                break
            step = step / 2.0
        else:
            return at
        at, loss = there, down
    return at


@numba.njit(cache=True, nogil=True)
def _look(scaled, answers, weights, penalty, at, gradient, hessian):  # type: ignore[no-untyped-def]
    """The loss at a place; also its slope and how that bends (the lower triangle), into the last two."""
    size = len(at)
    gradient[:] = 0.0
    hessian[:] = 0.0
    loss = 0.0
    bends = np.empty(_TOGETHER)
    for first in range(0, len(scaled), _TOGETHER):
        together = min(_TOGETHER, len(scaled) - first)
        bends[:] = 0.0
        for i in range(first, first + together):
            score = 0.0
            for j in range(size):
                score += scaled[i, j] * at[j]
            small = exp(-abs(score))
            chance = 1.0 / (1.0 + small) if score > 0.0 else small / (1.0 + small)
            loss += weights[i] * (max(score, 0.0) + log1p(small) - answers[i] * score)
            bends[i - first] = weights[i] * chance * (1.0 - chance)
            off = weights[i] * (chance - answers[i])
            for j in range(size):
                gradient[j] += off * scaled[i, j]
        # Four rows at a time, of which the last few may be the last one again, without weight.
        last = first + together - 1
        a, b, c, d = scaled[first], scaled[min(first + 1, last)], scaled[min(first + 2, last)], scaled[last]
        for j in range(size):
            by_a, by_b, by_c, by_d = bends[0] * a[j], bends[1] * b[j], bends[2] * c[j], bends[3] * d[j]
            for k in range(j + 1):
                hessian[j, k] += (by_a * a[k] + by_b * b[k]) + (by_c * c[k] + by_d * d[k])
    for j in range(size - 1):
        loss += penalty / 2.0 * at[j] * at[j]
        gradient[j] += penalty * at[j]
        hessian[j, j] += penalty
    return loss


@numba.njit(cache=True, nogil=True)
def _solved(matrix, right):  # type: ignore[no-untyped-def]
    """Cholesky, in place of the lower triangle; a pivot that rounding left without size is given one."""
    size = len(right)
    found = right.copy()
    for j in range(size):
        for k in range(j):
            for i in range(j, size):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
        pivot = np.sqrt(max(matrix[j, j], _SMALL))
        for i in range(j, size):
            matrix[i, j] /= pivot
        matrix[j, j] = pivot
    for i in range(size):
        for j in range(i):
            found[i] -= matrix[i, j] * found[j]
        found[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            found[i] -= matrix[j, i] * found[j]
        found[i] /= matrix[i, i]
    return found
