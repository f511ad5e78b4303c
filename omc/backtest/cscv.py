"""How often the best of many tries is worse than the middle of them on time that it was not chosen by.

Combinatorially symmetric cross-validation (Bailey, Borwein, López de Prado and Zhu 2017): time is cut into an even
number of blocks, and in every way to take half of them the best point of that half is looked up in the ranking of the
other half.
"""

from dataclasses import dataclass
from itertools import combinations

import numba
import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import FloatArray, read_only

MOST_BLOCKS = 16
"""12,870 splits. More blocks are put together, in their order."""
MOST_POINTS = 10_000
"""Of more points, as many are drawn, always the same: enough for the fraction, since it is one of ranks."""
NAN = float("nan")
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Of S splits, (S,) each: `logits` of the relative rank that the best point in sample has out of sample (0 is the
    middle), and its Sharpe ratios a bar `in_sample` and `out_of_sample`.

    `points` were compared, of the `traded` that ever had a return that varies. All is empty with fewer than two.
    """

    logits: FloatArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    points: int
    traded: int

    @property
    def probability(self) -> float:
        """Of overfitting: the part of splits in which the best in sample is no better than the middle out of sample."""
        return float((self.logits <= 0).mean()) if len(self.logits) else NAN

    @property
    def probability_of_loss(self) -> float:
        """The part of splits in which the best in sample loses out of sample."""
        return float((self.out_of_sample < 0).mean()) if len(self.logits) else NAN

    @property
    def slope(self) -> float:
        """Of the line through the ratios: how much of a gain in sample is left out of sample. Negative: the better it
        looked, the worse it did. NaN when the ratio in sample never varies."""
        if not len(self.logits):
            return NAN
        away = self.in_sample - self.in_sample.mean()
        spread = (away**2).sum()
        return float((away * self.out_of_sample).sum() / spread) if spread > 0 else NAN


def cross_validate(moments: FloatArray) -> CrossValidation:
    """Of (N, B, 3) moments of N points in B blocks of time, as `metrics.moments` makes them.

    Left out are points with a block that is NaN and points that never traded: they have no ratio to be ranked by. In a
    split in which a point did not trade its ratio counts as 0.
    """
    whole = moments[~np.isnan(moments).any(axis=(1, 2))]
    traded = whole[_varies(whole.sum(axis=1))]
    compared = traded
    if len(traded) > MOST_POINTS:
        drawn = np.random.default_rng(0).choice(len(traded), MOST_POINTS, replace=False)
        compared = traded[np.sort(drawn)]
    blocks = _even(compared)
    if len(compared) < 2 or blocks.shape[1] < 2:
        return CrossValidation(np.empty(0), np.empty(0), np.empty(0), 0, len(traded))
    logits, ours, theirs = _rank(read_only(blocks), _halves(blocks.shape[1]))
    return CrossValidation(logits, ours, theirs, len(compared), len(traded))


def _varies(sums: FloatArray) -> NDArray[np.bool_]:
    count, total, squares = sums[..., 0], sums[..., 1], sums[..., 2]
    return (count > 1) & (squares * count - total**2 > _NOTHING * squares * count)


def _even(moments: FloatArray) -> FloatArray:
    """Neighbors put together until their number is even and at most MOST_BLOCKS."""
    blocks = moments.shape[1]
    parts = min(blocks - blocks % 2, MOST_BLOCKS)
    if parts == blocks or parts < 2:
        return moments
    return np.add.reduceat(moments, np.arange(parts) * blocks // parts, axis=1)


def _halves(blocks: int) -> NDArray[np.int64]:
    """Every way to take half of the blocks, as bits."""
    return np.array([sum(1 << b for b in taken) for taken in combinations(range(blocks), blocks // 2)], np.int64)


@numba.njit(cache=True, nogil=True)
def _tables(blocks, low, high):  # type: ignore[no-untyped-def]
    """Sums of one point's moments over each subset of its first blocks and of its other ones."""
    first = blocks.shape[0] // 2
    for table, start, count in ((low, 0, first), (high, first, blocks.shape[0] - first)):
        table[0] = 0.0
        for bit in range(count):
            for subset in range(1 << bit):
                for k in range(3):
                    table[(1 << bit) + subset, k] = table[subset, k] + blocks[start + bit, k]


@numba.njit(cache=True, inline="always")
def _key(low, high):  # type: ignore[no-untyped-def]
    """The square of the Sharpe ratio a bar of two parts together, with its sign: it ranks alike, without a root."""
    n, total, squares = low[0] + high[0], low[1] + high[1], low[2] + high[2]
    spread = n * squares - total * total
    if n < 2.0 or spread <= _NOTHING * n * squares:
        return 0.0
    return total * abs(total) * (n - 1.0) / (n * spread)


@numba.njit(cache=True, nogil=True)
def _rank(moments, halves):  # type: ignore[no-untyped-def]
    points, blocks, _ = moments.shape
    first = blocks // 2
    size = 1 << (blocks - first)
    below, everything = (1 << first) - 1, (1 << blocks) - 1
    low, high = np.zeros((size, 3)), np.zeros((size, 3))
    splits = halves.shape[0]
    best, other = np.full(splits, -np.inf), np.zeros(splits)
    for p in range(points):
        _tables(moments[p], low, high)
        for s in range(splits):
            taken = halves[s]
            key = _key(low[taken & below], high[taken >> first])
            if key > best[s]:
                rest = everything ^ taken
                best[s] = key
                other[s] = _key(low[rest & below], high[rest >> first])
    worse, equal = np.zeros(splits, np.int64), np.zeros(splits, np.int64)
    for p in range(points):
        _tables(moments[p], low, high)
        for s in range(splits):
            rest = everything ^ halves[s]
            key = _key(low[rest & below], high[rest >> first])
            worse[s] += key < other[s]
            equal[s] += key == other[s]
    place = (worse + (equal + 1) / 2) / (points + 1)
    return np.log(place / (1 - place)), np.sign(best) * np.sqrt(np.abs(best)), np.sign(other) * np.sqrt(np.abs(other))
