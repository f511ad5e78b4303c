"""Falls below an earlier high: how deep, how long, and how long until they were made good."""

from dataclasses import dataclass

import numba
import numpy as np

from omc.feature.frame import FloatArray

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Drawdown:
    """A fall from the high in row `peak` to the lowest in row `trough`, made good in row `recovered`; None for a fall
    that was not by the last row, `end`. `depth` is a fraction of the high, 0 or negative."""

    depth: float
    peak: int
    trough: int
    recovered: int | None
    end: int

    @property
    def length_bars(self) -> int:
        """From the high until it was reached again, or the last row."""
        return (self.end if self.recovered is None else self.recovered) - self.peak

    @property
    def recovery_bars(self) -> float:
        """From the lowest until the high was reached again; NaN while it was not."""
        return NAN if self.recovered is None else float(self.recovered - self.trough)


@numba.njit(cache=True, nogil=True)
def max_drawdown(equity: FloatArray) -> float:
    """The deepest fall below an earlier high, as a fraction of that high: 0, or negative; NaN without a bar, or
    with one that is NaN."""
    deepest = 0.0 if equity.shape[0] else np.nan
    high = 0.0
    for value in equity:
        if np.isnan(value):
            return np.nan
        high = max(high, value)
        if high > 0.0:
            deepest = min(deepest, value / high - 1.0)
    return deepest


def underwater(equity: FloatArray) -> FloatArray:
    """(T,) fractions below the highest so far: 0 or negative; NaN while the highest was nothing or less."""
    high = np.maximum.accumulate(equity)
    return np.divide(equity, high, out=np.full(len(equity), np.nan), where=high > 0) - 1


def deepest(equity: FloatArray) -> Drawdown | None:
    """The deepest fall, the first among equals; None for a curve that never fell."""
    below = underwater(equity)
    if not len(equity) or not (below < 0).any():
        return None
    trough = int(np.nanargmin(below))
    high = equity[: trough + 1].max()
    peak = int(np.flatnonzero(equity[: trough + 1] == high)[-1])
    back = np.flatnonzero(equity[trough:] >= high)
    recovered = trough + int(back[0]) if len(back) else None
    return Drawdown(float(below[trough]), peak, trough, recovered, len(equity) - 1)


def longest(equity: FloatArray) -> int:
    """The most bars spent below one high, from it until it was reached again or the last row; 0 for none."""
    high = np.maximum.accumulate(equity)
    at_high = np.flatnonzero(equity >= high)
    if not len(at_high):
        return 0
    ends = np.append(at_high[1:], len(equity) - 1)
    fell = np.append(np.diff(at_high) > 1, at_high[-1] < len(equity) - 1)
    return int((ends - at_high)[fell].max(initial=0))


def ulcer_index(equity: FloatArray) -> float:
    """Root mean square of the fractions below the highest so far (Martin and McCann 1989); NaN without a bar."""
    return float(np.sqrt((underwater(equity) ** 2).mean())) if len(equity) else NAN
