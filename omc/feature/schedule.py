"""Schedules that are fixed by absolute time: their periods begin at multiples of their length since 1970 in UTC.

A schedule that counted from the first row would put the floor, whose first row moves with every bar, out of step with
the backtest. A bar of a schedule is the platform's five minutes, whatever the rows at hand.
"""

import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import TimeArray
from omc.market.tape import BARS_A_DAY

BAR_US = 86_400_000_000 // BARS_A_DAY
BARS_A_YEAR = 365 * BARS_A_DAY


def microseconds(times: TimeArray) -> NDArray[np.int64]:
    """Since 1970, (T,)."""
    return times.astype("datetime64[us]").astype(np.int64)


def period_starts(times: TimeArray, every_bars: int) -> NDArray[np.int64]:
    """For each row, which row was the first of its period of `every_bars`, (T,).

    -1 where that is not to be told from the row itself and the `every_bars` before it: in the period of the first row
    of all, which may have begun earlier, and where a period holds more rows than it has bars.
    """
    rows = np.arange(len(times))
    if len(rows) == 0:
        return rows
    period = microseconds(times) // (every_bars * BAR_US)
    starts = np.zeros_like(rows)
    starts[1:] = np.where(period[1:] != period[:-1], rows[1:], 0)
    starts = np.maximum.accumulate(starts)
    return np.where((starts == 0) | (rows - starts >= every_bars), -1, starts)
