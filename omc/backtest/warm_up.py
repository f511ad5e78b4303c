"""How much of the past a feature needs until it says what it would say with all of it: measured, not believed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from omc.backtest.lookahead import Data
from omc.feature.frame import FloatArray

LENGTHS = (20, 40, 80, 100, 150, 300, 999)
TOLERANCE = 1e-4
"""A hundredth of a percent: as far off as a feature that only ever comes nearer may be."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Of the values in the last row: (L, …) `values` after start-ups of `lengths` rows, `full` after all rows.

    `exact_from` is the smallest number of rows from which on the value is that of all rows to the bit, and `near_from`
    from which on it is within a part TOLERANCE of it; None when the longest start-up is not. A rolling mean of n rows
    is exact from n; a recursive average comes near; a counter of rows never does.
    """

    lengths: tuple[int, ...]
    values: FloatArray
    full: FloatArray
    exact_from: int | None
    near_from: int | None

    @property
    def differences(self) -> FloatArray:
        """(L, …) parts of the full value by which each start-up is off it; NaN where it has no value."""
        off = np.abs(self.values - self.full)
        return np.where(off == 0, 0.0, off / np.maximum(np.abs(self.full), np.finfo(np.float64).tiny))


def warm_up(feature: Callable[[Data], FloatArray], data: Data, lengths: Sequence[int] = LENGTHS) -> WarmUp:
    """Of a feature whose first axis is the rows. `lengths` that the data does not exceed are left out; between two of
    them the number of rows is found by halving, so a feature is taken never to get worse with more rows."""
    rows = len(data)
    tried = tuple(sorted({length for length in lengths if 0 < length < rows}))
    full = np.asarray(feature(data))[-1]

    def value(length: int) -> FloatArray:
        return np.asarray(feature(Data(data.frame.rows(rows - length, rows), data.observations)))[-1]

    values = np.array([value(length) for length in tried]).reshape(len(tried), *np.shape(full))
    return WarmUp(
        lengths=tried,
        values=values,
        full=full,
        exact_from=_from(tried, values, value, lambda each: _off(each, full) == 0.0),
        near_from=_from(tried, values, value, lambda each: _off(each, full) <= TOLERANCE),
    )


def _off(value: FloatArray, full: FloatArray) -> float:
    """The largest part of the full value that is missing: 0 where both are NaN, infinite where one of them is."""
    both = np.isnan(value) & np.isnan(full)
    apart = np.where(both | (value == full), 0.0, np.abs(value - full))
    size = np.where(both, 1.0, np.maximum(np.abs(full), np.finfo(np.float64).tiny))
    return float(np.nan_to_num(apart / size, nan=np.inf).max(initial=0.0))


def _from(
    tried: tuple[int, ...],
    values: FloatArray,
    value: Callable[[int], FloatArray],
    enough: Callable[[FloatArray], bool],
) -> int | None:
    good = [enough(each) for each in values]
    if not good or not good[-1]:
        return None
    at = len(good)
    while at and good[at - 1]:
        at -= 1
    low, high = (tried[at - 1] if at else 0), tried[at]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(value(middle)) else (middle, high)
    return high
