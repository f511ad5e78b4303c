"""Rolling indicators whose value at a row depends on the bits of its own window and on nothing else.

The floor computes them from the few rows that it holds, the backtest from years, and both must decide the same. A
running float sum would remember every row that it ever saw, so means are taken over integers (prices are decimals of
eight places) and deviations are summed anew for each window, oldest row first.
"""

from collections import OrderedDict
from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, read_only

_UNITS = 100_000_000
_LARGEST_SUM = float(2**63)
_BLOCK = 1_024


class Indicators:
    """Indicators of one array of prices, each computed once and kept while they fit into `capacity_bytes`.

    `prices` is (T, C) float64 in AUD on the eight-decimal grid, NaN where there is none. Everything returned has that
    shape, is NaN in rows whose window is not complete or holds a NaN, and must not be written to.
    """

    def __init__(self, prices: FloatArray, capacity_bytes: int = 256 * 1024**2) -> None:
        self._prices = read_only(prices)
        self._capacity_bytes = capacity_bytes
        self._sums: tuple[NDArray[np.int64], NDArray[np.int32], float] | None = None
        self._kept: OrderedDict[tuple[str, int], FloatArray] = OrderedDict()

    def mean(self, window: int) -> FloatArray:
        """Of the last `window` rows, in AUD: their exact sum, divided."""
        return self._kept_or("mean", window, lambda: self._mean(window))

    def deviation(self, window: int) -> FloatArray:
        """Population standard deviation (ddof 0) of the last `window` rows, in AUD: 0 if they never vary."""
        return self._kept_or("deviation", window, lambda: _deviation(self._prices, self.mean(window), window))

    def _kept_or(self, name: str, window: int, compute: Callable[[], FloatArray]) -> FloatArray:
        key = (name, window)
        if key not in self._kept:
            self._kept[key] = read_only(compute())
            while len(self._kept) > 1 and len(self._kept) * self._prices.nbytes > self._capacity_bytes:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _mean(self, window: int) -> FloatArray:
        if window < 1:
            raise InvalidInput(f"a window of {window} bars is too short")
        if self._sums is None:
            self._sums = _prefix_sums(self._prices)
        sums, gaps, largest = self._sums
        if largest * _UNITS * window >= _LARGEST_SUM:
            raise InvalidInput(f"a mean of {window} bars of prices up to A${largest:,.2f} does not fit into 64 bits")
        return _mean_of_sums(sums, gaps, window)


def rolling_mean(prices: FloatArray, window: int) -> FloatArray:
    """`Indicators.mean` of (T, C) or (T,) prices."""
    return Indicators(_as_columns(prices)).mean(window).reshape(prices.shape)


def rolling_std(prices: FloatArray, window: int) -> FloatArray:
    """`Indicators.deviation` of (T, C) or (T,) prices."""
    return Indicators(_as_columns(prices)).deviation(window).reshape(prices.shape)


def _as_columns(prices: FloatArray) -> FloatArray:
    return prices.reshape(len(prices), -1)


@numba.njit(cache=True, nogil=True)
def _prefix_sums(prices: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Sums of units and counts of gaps before each row, (T + 1, C), and the largest price.

    The sums may wrap around; their differences are right all the same while the sum of a window fits.
    """
    rows, coins = prices.shape
    sums = np.zeros((rows + 1, coins), np.int64)
    gaps = np.zeros((rows + 1, coins), np.int32)
    largest = 0.0
    for t in range(rows):
        for c in range(coins):
            price = prices[t, c]
            if np.isfinite(price):
                sums[t + 1, c] = sums[t, c] + np.int64(np.rint(price * _UNITS))
                gaps[t + 1, c] = gaps[t, c]
                largest = max(largest, abs(price))
            else:
                sums[t + 1, c] = sums[t, c]
                gaps[t + 1, c] = gaps[t, c] + 1
    return sums, gaps, largest


@numba.njit(cache=True, nogil=True)
def _mean_of_sums(sums: np.ndarray, gaps: np.ndarray, window: int) -> np.ndarray:
    rows, coins = sums.shape[0] - 1, sums.shape[1]
    means = np.full((rows, coins), np.nan)
    for t in range(window - 1, rows):
        for c in range(coins):
            if gaps[t + 1, c] == gaps[t + 1 - window, c]:
                total = sums[t + 1, c] - sums[t + 1 - window, c]
                # The whole units and the rest apart: a window of one price has that price as its mean, to the bit,
                # even where its sum has more digits than a float64.
                whole = np.int64(np.rint(total / window))
                rest = total - whole * window
                means[t, c] = (whole + rest / window) / _UNITS
    return means


@numba.njit(cache=True, nogil=True)
def _deviation(prices: np.ndarray, means: np.ndarray, window: int) -> np.ndarray:
    """Two passes a window. The loops are turned inside out, so that many windows are summed side by side, each in
    the order of its own rows."""
    rows, coins = prices.shape
    deviations = np.full((rows, coins), np.nan)
    squares = np.empty((_BLOCK, coins))
    for first in range(window - 1, rows, _BLOCK):
        size = min(_BLOCK, rows - first)
        squares[:] = 0.0
        for back in range(window - 1, -1, -1):
            for i in range(size):
                for c in range(coins):
                    away = prices[first + i - back, c] - means[first + i, c]
                    squares[i, c] += away * away
        for i in range(size):
            for c in range(coins):
                deviations[first + i, c] = np.sqrt(squares[i, c] / window)
    return deviations
