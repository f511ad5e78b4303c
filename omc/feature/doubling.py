"""Statistics of every window, put together from those of shorter windows: twice as long at each step.

The statistic of n rows and that of the n rows before them make that of 2n rows, so a window of any length takes about
2 log2(n) passes over the rows, each of which does the same small sum everywhere. Nothing is carried from row to row:
the value at a row is computed from its own window, in an order that depends on the window's length alone, and has the
same bits wherever the window stands. A NaN in a window makes its value NaN.

Arrays are (T, C) float64, one column a coin; what is returned is NaN in the first `window` - 1 rows.
"""

from collections.abc import Callable

import numba
import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray

Parts = tuple[FloatArray, ...]
Merge = Callable[[Parts, tuple[Parts, Parts], tuple[int, int], int], None]
"""(out, newer and older rows, how many each has, places that the newer ones reach back): both together into out."""


def average(values: FloatArray, window: int, ratio: float = 1.0) -> FloatArray:
    """The mean in which each row weighs `ratio` (from 0 to 1) times as much as the one after it."""

    def merge(out: Parts, parts: tuple[Parts, Parts], sizes: tuple[int, int], reach: int) -> None:
        n, m = sizes
        share = m / (n + m) if ratio == 1.0 else ratio**n * (1.0 - ratio**m) / (1.0 - ratio ** (n + m))
        (newer,), (older,) = parts
        _blend(out[0], newer, older, share, reach)

    return _windows(window, (values,), merge)[0]


def deviation(values: FloatArray, window: int) -> FloatArray:
    """Population standard deviation (ddof 0), and exactly 0 where they never vary.

    Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance", eq. 2.1.
    """
    squares = _windows(window, (values, values - values), _merge_squares)[1]
    with np.errstate(invalid="ignore"):
        return np.sqrt(squares / window)


def correlation(first: FloatArray, second: FloatArray, window: int) -> FloatArray:
    """Pearson's; NaN where either never varies. The same update as `deviation`, of products too."""
    xx, yy = first - first, second - second
    _, _, xx, yy, xy = _windows(window, (first, second, xx, yy, xx + yy), _merge_products)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = xy / np.sqrt(xx * yy)
    return np.where((xx > 0.0) & (yy > 0.0), np.clip(found, -1.0, 1.0), np.nan)


def highest(values: FloatArray, window: int) -> FloatArray:
    return _extreme(values, window, np.maximum)


def lowest(values: FloatArray, window: int) -> FloatArray:
    return _extreme(values, window, np.minimum)


def _extreme(values: FloatArray, window: int, pick: np.ufunc) -> FloatArray:
    """Two windows may share rows here, so that the last step reaches back just as far as is missing."""
    _check(window)
    found, size = values.copy(), 1
    found[: window - 1] = np.nan
    block = values
    while size < window <= len(values):
        step = min(size, window - size)
        longer = np.empty_like(found)
        longer[:step] = np.nan
        pick(block[step:], block[:-step], out=longer[step:])
        block, size = longer, size + step
    return block if size == window > 1 else found


def _check(window: int) -> None:
    if window < 1:
        raise InvalidInput(f"a window of {window} bars is too short")


def _windows(window: int, single: Parts, merge: Merge) -> Parts:
    """The statistic of `window` rows, from `single`, that of one row."""
    _check(window)
    rows, coins = single[0].shape
    if window > rows:
        return tuple(np.full((rows, coins), np.nan) for _ in single)
    single = tuple(np.ascontiguousarray(part).reshape(-1) for part in single)
    block, whole, size, gathered = single, single, 1, 0
    # Fresh memory costs more than the sums do: arrays that are done with are written to again.
    free: list[Parts] = []
    while gathered < window:
        if window & size:
            if gathered:
                out = _fresh(single) if whole is single else whole
                merge(out, (whole, block), (gathered, size), gathered * coins)
                whole = out
            else:
                whole = block
            gathered += size
        if gathered < window:
            out = free.pop() if free else _fresh(single)
            merge(out, (block, block), (size, size), size * coins)
            if block is not single and block is not whole:
                free.append(block)
            block, size = out, 2 * size
    return tuple((part.copy() if whole is single else part).reshape(rows, coins) for part in whole)


def _fresh(like: Parts) -> Parts:
    return tuple(np.empty_like(part) for part in like)


def _merge_squares(out: Parts, parts: tuple[Parts, Parts], sizes: tuple[int, int], reach: int) -> None:
    n, m = sizes
    _squares(out, *parts, m / (n + m), n * m / (n + m), reach)


def _merge_products(out: Parts, parts: tuple[Parts, Parts], sizes: tuple[int, int], reach: int) -> None:
    n, m = sizes
    _products(out, *parts, m / (n + m), n * m / (n + m), reach)


@numba.njit(cache=True, nogil=True)
def _blend(out, newer, older, share, reach):  # type: ignore[no-untyped-def]
    """`out` may be `newer`, here and below."""
    for i in range(reach, len(newer)):
        out[i] = newer[i] + (older[i - reach] - newer[i]) * share
    out[:reach] = np.nan


@numba.njit(cache=True, nogil=True)
def _squares(out, newer, older, share, pull, reach):  # type: ignore[no-untyped-def]
    """Means, and squares of what lies around them."""
    means, squares = out
    mean, square = newer
    older_mean, older_square = older
    for i in range(reach, len(mean)):
        away = older_mean[i - reach] - mean[i]
        squares[i] = square[i] + older_square[i - reach] + away * away * pull
    for i in range(reach, len(mean)):
        means[i] = mean[i] + (older_mean[i - reach] - mean[i]) * share
    means[:reach] = np.nan
    squares[:reach] = np.nan


@numba.njit(cache=True, nogil=True)
def _products(out, newer, older, share, pull, reach):  # type: ignore[no-untyped-def]
    """Means of x and y, and what they vary: x with x, y with y, x with y."""
    x, y, xx, yy, xy = newer
    older_x, older_y, older_xx, older_yy, older_xy = older
    for i in range(reach, len(x)):
        j = i - reach
        by_x, by_y = older_x[j] - x[i], older_y[j] - y[i]
        out[2][i] = xx[i] + older_xx[j] + by_x * by_x * pull
        out[3][i] = yy[i] + older_yy[j] + by_y * by_y * pull
        out[4][i] = xy[i] + older_xy[j] + by_x * by_y * pull
        out[0][i] = x[i] + by_x * share
        out[1][i] = y[i] + by_y * share
    for part in out:
        part[:reach] = np.nan
