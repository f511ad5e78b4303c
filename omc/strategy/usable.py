"""Whether weights that somebody's code made may be used, looked at once and fast."""

import numba
import numpy as np

from omc.errors import CodeFailed
from omc.feature.frame import FloatArray
from omc.trading.sizing import check_weights

_SURE = 1.0


def usable(weights: FloatArray, coins: int) -> FloatArray:
    """(T, C) or (C,) float64 weights as they came, of memory that nobody else writes to. CodeFailed, with a sentence,
    for any that `check_weights` refuses."""
    if weights.dtype != np.float64 or not weights.flags.c_contiguous or weights.shape[-1:] != (coins,):
        raise CodeFailed(f"weights of {weights.dtype} and shape {weights.shape}: expected float64 for {coins} coins")
    if not _plain(weights.reshape(-1, coins)):
        try:
            check_weights(weights, coins)
        except ValueError as reason:
            raise CodeFailed(str(reason)) from None
    return weights


@numba.njit(cache=True, nogil=True)
def _plain(weights):  # type: ignore[no-untyped-def]
    """Whether every weight is 0 or more and no row adds up to more than 1. False is no verdict yet."""
    rows, coins = weights.shape
    for t in range(rows):
        total = 0.0
        for c in range(coins):
            weight = weights[t, c]
            # NaN is not 0 or more.
            if not weight >= 0.0:
                return False
            total += weight
        if not total <= _SURE:
            return False
    return True
