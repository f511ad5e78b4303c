"""Sums over a curve of equity, taken in one pass: what a sweep can afford for every point.

The measures in `metrics` are the definition; these sums give the same figures to about twelve digits, twenty
times faster. The curve is read in strips of a few turns, bar i of a turn always added to lane i, turns and then lanes
added up in their order: the compiler may use vectors as wide as the machine's, and the result is the same to the bit on
every machine. The mean growth is taken off returns first, so that powers of them lose no digits.
"""

from dataclasses import dataclass
from math import isfinite

import numba
import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import FloatArray, read_only

_LANES, _TURNS = 64, 4
_STRIP = _LANES * _TURNS


@dataclass(frozen=True, slots=True)
class CurveSums:
    """`count` returns, each less `shift`: `powers` are the sums of their first to fourth powers. `losses` is the sum of
    squared negative returns, `idle` of the parts of equity in cash, `equity` of equity; `deepest` the deepest fall.
    `moments` is (B, 3): count, sum and sum of squares of the returns made in each block of rows."""

    count: int
    shift: float
    powers: tuple[float, float, float, float]
    losses: float
    idle: float
    equity: float
    deepest: float
    moments: FloatArray


def curve_sums(equity: FloatArray, cash: FloatArray, bounds: NDArray[np.int64]) -> CurveSums | None:
    """Of (T,) equity and cash in AUD; block b holds rows bounds[b] to bounds[b + 1], and all of them hold every row.
    None for a curve that was ever worth nothing or less, or is not finite: no ratio can be taken of such a bar."""
    rows = len(equity)
    if not rows or not equity[0] > 0:
        return None
    # Of single precision, so that the last bits of a machine's power function are not seen.
    shift = float(np.float32((equity[-1] / equity[0]) ** (1 / (rows - 1)) - 1)) if rows > 1 and equity[-1] > 0 else 0.0
    moments = np.empty((len(bounds) - 1, 3))
    count, powers, losses, idle, total, deepest, lowest = _curve(
        read_only(equity), read_only(cash), shift, read_only(bounds), moments
    )
    if not lowest > 0 or not isfinite(powers[3] + total + idle):
        return None
    return CurveSums(count, shift, powers, losses, idle, total, deepest, moments)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _curve(equity, cash, shift, bounds, moments):  # type: ignore[no-untyped-def]
    """Fills `moments`, of plain returns; the return from row t to t + 1 is made at t + 1.

    Floats above zero are in the order of their bits, which vectors compare faster. A strip in which nothing moved and
    everything was cash is counted only.
    """
    rows = equity.shape[0]
    bits = equity.view(np.int64)
    extremes = np.empty(2, np.int64)
    highest_and_lowest = extremes.view(np.float64)
    # One array, so that the compiler sees that its lanes overlap neither each other nor the curve.
    sums = np.zeros((7, _LANES))
    high, deepest, lowest, flat, flat_worth = equity[0], 0.0, bits[0], 0, 0.0
    count, first, second = 0, 0.0, 0.0
    for b in range(moments.shape[0]):
        start, end = max(bounds[b] - 1, 0), bounds[b + 1] - 1
        sums[:2] = 0.0
        still, at = 0, start
        while at < end:
            n = min(_STRIP, end - at)
            top = low = bits[at + 1]
            for row in range(np.uintp(at + 1), np.uintp(at + 1 + n)):
                top = max(top, bits[row])
                low = min(low, bits[row])
            if top == low and low == bits[at] and _all_equal(cash, at, n, equity[at]):
                still += n
                flat_worth += n * equity[at]
                at += n
                continue
            if n == _STRIP:
                _add_strip(equity, cash, at, shift, sums)
            else:
                _add_rest(equity, cash, at, n, shift, sums)
            lowest = min(lowest, low)
            extremes[0], extremes[1] = top, low
            peak = max(high, highest_and_lowest[0])
            if highest_and_lowest[1] < peak * (1.0 + deepest):
                if peak == high:
                    deepest = min(deepest, highest_and_lowest[1] / high - 1.0)
                else:
                    for row in range(np.uintp(at + 1), np.uintp(at + 1 + n)):
                        high = max(high, equity[row])
                        if equity[row] < high * (1.0 + deepest):
                            deepest = min(deepest, equity[row] / high - 1.0)
            high = peak
            at += n
        made = max(end - start, 0)
        away, squares = _added(sums[0]) - still * shift, _added(sums[1]) + still * shift * shift
        moments[b, 0] = made
        moments[b, 1] = away + shift * made
        moments[b, 2] = squares + shift * (2.0 * away + shift * made)
        count += made
        first += away
        second += squares
        flat += still
    extremes[1] = lowest
    third, fourth = _added(sums[2]) - flat * shift**3, _added(sums[3]) + flat * shift**4
    return (
        count,
        (first, second, third, fourth),
        _added(sums[4]),
        _added(sums[5]) + flat + cash[rows - 1] / equity[rows - 1],
        _added(sums[6]) + flat_worth + equity[rows - 1],
        deepest,
        highest_and_lowest[1],
    )


@numba.njit(cache=True, inline="always", error_model="numpy")
def _add_strip(equity, cash, at, shift, sums):  # type: ignore[no-untyped-def]
    """Add a whole strip: turns are added up in registers before they meet their lane in memory."""
    for lane in range(np.uintp(_LANES)):
        first, second, third, fourth, losses, idle, worth = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for turn in range(np.uintp(_TURNS)):
            row = np.uintp(at) + turn * np.uintp(_LANES) + lane
            away, square, lost, free = _terms(equity[row], equity[row + np.uintp(1)], cash[row], shift)
            first += away
            second += square
            third += away * square
            fourth += square * square
            losses += lost * lost
            idle += free
            worth += equity[row]
        sums[0, lane] += first
        sums[1, lane] += second
        sums[2, lane] += third
        sums[3, lane] += fourth
        sums[4, lane] += losses
        sums[5, lane] += idle
        sums[6, lane] += worth


@numba.njit(cache=True, inline="always", error_model="numpy")
def _add_rest(equity, cash, at, n, shift, sums):  # type: ignore[no-untyped-def]
    """Add what is less than a strip, turn by turn."""
    for begin in range(np.uintp(0), np.uintp(n), np.uintp(_LANES)):
        for lane in range(min(np.uintp(_LANES), np.uintp(n) - begin)):
            row = np.uintp(at) + begin + lane
            away, square, lost, free = _terms(equity[row], equity[row + np.uintp(1)], cash[row], shift)
            sums[0, lane] += away
            sums[1, lane] += square
            sums[2, lane] += away * square
            sums[3, lane] += square * square
            sums[4, lane] += lost * lost
            sums[5, lane] += free
            sums[6, lane] += equity[row]


@numba.njit(cache=True, inline="always", error_model="numpy")
def _terms(before, after, cash, shift):  # type: ignore[no-untyped-def]
    """A return less `shift`, its square, the return where it is a loss, and the part of equity that was cash."""
    inverse = 1.0 / before
    gained = (after - before) * inverse
    away = gained - shift
    return away, away * away, min(gained, 0.0), cash * inverse


@numba.njit(cache=True, inline="always")
def _added(lanes):  # type: ignore[no-untyped-def]
    total = 0.0
    for each in lanes:
        total += each
    return total


@numba.njit(cache=True, inline="always")
def _all_equal(values, at, n, value):  # type: ignore[no-untyped-def]
    if values[at] != value:
        return False
    others = 0
    for row in range(np.uintp(at), np.uintp(at + n)):
        others += 1 if values[row] != value else 0
    return others == 0
