"""The mean of a window of prices, rounded once: the float64 nearest to what a calculation by hand would give.

Prices are decimals of eight places, so their sums are exact in integers, and the sum of any window is the difference of
two of them. In whole numbers of each coin's own coarsest unit (cents, for most) even the sums of years have fewer than
53 bits: a float64 holds them exactly too, and one subtraction and one division are all that a row costs. Where they do
not fit, integers take over. Both give the same bits, since both round the same quotient once.
"""

from math import frexp, ldexp

import numba
import numpy as np
from numpy.typing import NDArray

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray

_UNITS = 100_000_000
_EXACT = 2**53
_LARGEST_SUM = float(2**63)


class ExactMeans:
    """Means of (T, C) prices over any window, from sums that are taken once."""

    def __init__(self, prices: FloatArray) -> None:
        self._shape = prices.shape
        self._gaps, unit, self._largest = _look_over(prices)
        self._scale = _UNITS // unit  # the coin's units in a dollar
        self._gappy = bool(self._gaps[-1].any())
        span = self._largest * float(self._scale.max(initial=1)) * len(prices)
        kind = np.float64 if span < _EXACT else np.int64
        self._sums: NDArray[np.float64 | np.int64] = np.empty((len(prices) + 1, prices.shape[1]), kind)
        _prefix_sums(prices, unit, self._sums)

    def of(self, window: int) -> FloatArray:
        """(T, C) in AUD; NaN where the window is not complete or holds a NaN. InvalidInput for a window that is empty,
        or whose sum does not fit into 64 bits."""
        if window < 1:
            raise InvalidInput(f"a window of {window} bars is too short")
        if self._largest * _UNITS * window >= _LARGEST_SUM:
            raise InvalidInput(
                f"a mean of {window} bars of prices up to A${self._largest:,.2f} does not fit into 64 bits"
            )
        means = np.empty(self._shape)
        rows, coins = self._shape
        means[: window - 1] = np.nan
        if window > rows:
            return means
        divisors = window * self._scale
        if self._sums.dtype == np.int64:
            _divide_integers(self._sums, divisors, window, means)
        elif (divisors == divisors[0]).all():
            _divide(self._sums.reshape(-1), float(divisors[0]), window * coins, means.reshape(-1))
        else:
            _divide_each(self._sums, divisors.astype(np.float64), window, means)
        if self._gappy:
            _leave_out(self._gaps, window, means)
        return means


@numba.njit(cache=True, nogil=True)
def _look_over(prices: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """How many gaps came before each row, (T + 1, C); the coarsest unit that every price of a coin is a multiple of,
    (C,) in 1e-8 AUD; and the largest price."""
    rows, coins = prices.shape
    gaps = np.zeros((rows + 1, coins), np.int32)
    unit = np.full(coins, _UNITS, np.int64)
    largest = 0.0
    for t in range(rows):
        for c in range(coins):
            price = prices[t, c]
            gaps[t + 1, c] = gaps[t, c]
            if np.isfinite(price):
                rest = np.int64(np.rint(price * _UNITS)) % unit[c]
                while rest > 0:
                    unit[c], rest = rest, unit[c] % rest
                largest = max(largest, abs(price))
            else:
                gaps[t + 1, c] += 1
    return gaps, unit, largest


@numba.njit(cache=True, nogil=True)
def _prefix_sums(prices: np.ndarray, unit: np.ndarray, sums: np.ndarray) -> None:
    """Sums of units before each row. Integers may wrap around; their differences are right all the same while the sum
    of a window fits."""
    rows, coins = prices.shape
    running = np.zeros(coins, np.int64)
    sums[0] = 0
    for t in range(rows):
        for c in range(coins):
            price = prices[t, c]
            if np.isfinite(price):
                running[c] += np.int64(np.rint(price * _UNITS)) // unit[c]
            sums[t + 1, c] = running[c]


@numba.njit(cache=True, nogil=True)
def _divide(sums: np.ndarray, divisor: float, reach: int, means: np.ndarray) -> None:
    """For coins of one unit, on flat arrays, in which a window reaches back `reach` places."""
    ahead = len(sums) - len(means)
    for i in range(reach - ahead, len(means)):
        means[i] = (sums[i + ahead] - sums[i + ahead - reach]) / divisor


@numba.njit(cache=True, nogil=True)
def _divide_each(sums: np.ndarray, divisors: np.ndarray, window: int, means: np.ndarray) -> None:
    rows, coins = means.shape
    for t in range(window - 1, rows):
        for c in range(coins):
            means[t, c] = (sums[t + 1, c] - sums[t + 1 - window, c]) / divisors[c]


@numba.njit(cache=True, nogil=True)
def _divide_integers(sums: np.ndarray, divisors: np.ndarray, window: int, means: np.ndarray) -> None:
    rows, coins = means.shape
    for t in range(window - 1, rows):
        for c in range(coins):
            means[t, c] = _quotient(sums[t + 1, c] - sums[t + 1 - window, c], divisors[c])


@numba.njit(cache=True, nogil=True)
def _quotient(total: int, divisor: int) -> float:
    """The float64 nearest to the exact quotient, ties to even, of a total of 0 or more and a divisor below 2**53.

    A total of more than 53 bits is rounded before it is divided, so that quotient is only a guess. Its mantissa is
    corrected by the exact remainder, which is small, hence right in wrapping arithmetic however its parts overflow.
    """
    guess = np.float64(total) / np.float64(divisor)
    if total < _EXACT:
        return guess
    exponent = frexp(guess)[1]
    shift = 53 - exponent
    mantissa = np.int64(ldexp(guess, shift))
    remainder = (np.int64(total) << shift) - mantissa * np.int64(divisor)
    if mantissa == _EXACT // 2 and remainder < 0:
        # Just below a power of two, where the floats lie twice as close.
        shift, mantissa, remainder = shift + 1, 2 * mantissa, 2 * remainder
    while 2 * remainder > divisor or (2 * remainder == divisor and mantissa % 2 == 1):
        mantissa += 1
        remainder -= divisor
    while 2 * remainder < -divisor or (2 * remainder == -divisor and mantissa % 2 == 1):
        mantissa -= 1
        remainder += divisor
    return ldexp(np.float64(mantissa), -shift)


@numba.njit(cache=True, nogil=True)
def _leave_out(gaps: np.ndarray, window: int, means: np.ndarray) -> None:
    rows, coins = means.shape
    for t in range(window - 1, rows):
        for c in range(coins):
            if gaps[t + 1, c] != gaps[t + 1 - window, c]:
                means[t, c] = np.nan
