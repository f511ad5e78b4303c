"""From signals to weights that remember only so many bars.

An algorithm that holds what it once bought until a signal sells it would need all of the past to know what it holds.
Here an entry counts for `hold_bars` rows and no longer, so that the rows since are all that a decision needs.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import FloatArray, Frame, read_only

ENTER, LEAVE = 1, -1
SignalArray = NDArray[np.int8]


def held(frame: Frame, signals: SignalArray, hold_bars: int, share: float) -> FloatArray:
    """(T, C) weights: `share` where, of the last `hold_bars` rows, one said ENTER and none since the newest of these
    said LEAVE. A coin without a quote weighs 0, and is wanted all the same when the quote is back. A decision looks
    back over the signals of `hold_bars` rows."""
    return _held(read_only(signals), read_only(frame.bid), read_only(frame.ask), hold_bars, share)


def quoted(frame: Frame) -> NDArray[np.bool_]:
    """(T, C): where a coin can be valued and traded."""
    return ~np.isnan(frame.bid + frame.ask + frame.last)


def signals(enter: NDArray[np.bool_], leave: NDArray[np.bool_]) -> SignalArray:
    """ENTER where both hold."""
    return np.where(enter, np.int8(ENTER), np.where(leave, np.int8(LEAVE), np.int8(0)))


@numba.njit(cache=True, nogil=True)
def _held(signals, bid, ask, hold_bars, share):  # type: ignore[no-untyped-def]
    rows, coins = signals.shape
    weights = np.zeros((rows, coins))
    for c in range(coins):
        bars_left = 0
        for t in range(rows):
            if signals[t, c] == ENTER:
                bars_left = hold_bars
            elif signals[t, c] == LEAVE:
                bars_left = 0
            elif bars_left > 0:
                bars_left -= 1
            if bars_left > 0 and not np.isnan(bid[t, c]) and not np.isnan(ask[t, c]):
                weights[t, c] = share
    return weights
