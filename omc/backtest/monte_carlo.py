"""What else the same trades could have come to: their order, and which of them happened, is drawn anew many times."""

from dataclasses import dataclass

import numba
import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray

_MOST_DRAWS = 10_000_000
_MOST = 1e300


@dataclass(frozen=True, slots=True)
class Interval:
    """Of a figure's draws: `low` and `high` hold the middle part of them, `median` halves them."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """Of `runs` drawn anew. `final_return` and `max_drawdown` draw as many trades with replacement (which happened is
    chance); `shuffled_drawdown` puts the very trades into another order, which leaves the final return as it was."""

    final_return: Interval
    max_drawdown: Interval
    shuffled_drawdown: Interval
    probability_of_loss: float
    runs: int


def monte_carlo(gains: FloatArray, *, runs: int = 1_000, confidence: float = 0.9, seed: int = 0) -> MonteCarlo | None:
    """Of (K,) fractions of equity that round trips gained, compounded one after the other; None with fewer than two.

    Falls inside a trip are not seen, so that a drawdown here is of closed trades. The same seed gives the same bits.
    InvalidInput for a confidence that is no fraction, too many draws, or a gain that is not finite.
    """
    if not 0 < confidence < 1:
        raise InvalidInput(f"confidence must be a fraction above 0 and below 1, not {confidence}")
    if runs < 1 or runs * max(len(gains), 1) > _MOST_DRAWS:
        raise InvalidInput(f"{runs:,} runs of {len(gains):,} trades: at least 1, and {_MOST_DRAWS:,} draws at most")
    if not np.isfinite(gains).all():
        raise InvalidInput("a trade gained what is not a finite number")
    if len(gains) < 2:
        return None
    generator = np.random.default_rng(seed)
    final, depth = _walks(gains[generator.integers(0, len(gains), (runs, len(gains)))])
    _, shuffled = _walks(generator.permuted(np.broadcast_to(gains, (runs, len(gains))), axis=1))
    return MonteCarlo(
        _interval(final, confidence),
        _interval(depth, confidence),
        _interval(shuffled, confidence),
        float((final < 0).mean()),
        runs,
    )


def gains_of_equity(profits: FloatArray, equity: FloatArray) -> FloatArray:
    """(K,) fractions of equity that trips gained: AUD earned over the AUD of all equity when each began, (K,) both."""
    return np.divide(profits, equity, out=np.zeros(len(profits)), where=equity > 0)


def _interval(values: FloatArray, confidence: float) -> Interval:
    rest = (1 - confidence) / 2
    low, median, high = np.quantile(values, [rest, 0.5, 1 - rest])
    return Interval(float(low), float(median), float(high))


@numba.njit(cache=True, nogil=True)
def _walks(gains: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(runs,) final returns and deepest falls of (runs, K) gains in a row; who loses everything stays ruined, and
    nobody gains more than a float can hold."""
    runs, trades = gains.shape
    final, deepest = np.empty(runs), np.zeros(runs)
    for run in range(runs):
        worth, high = 1.0, 1.0
        for k in range(trades):
            worth = min(max(worth * (1.0 + gains[run, k]), 0.0), _MOST)
            high = max(high, worth)
            deepest[run] = min(deepest[run], worth / high - 1.0)
        final[run] = worth - 1.0
    return final, deepest
