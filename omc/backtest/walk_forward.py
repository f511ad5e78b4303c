"""Walk-forward: what a search would have earned by trading its choice, each fold by what was best in the folds before.

Only that is out of sample. The point that is best over all folds was chosen by all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omc.backtest.folds import SCHEMES, Fold
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray

# Sums of squares lose digits: less deviation than this part of the mean square is rounding.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Selection:
    """For each fold that was traded, oldest first: its number, the row of the point that was chosen, that point's
    Sharpe ratio a bar in the folds that chose it and in the fold itself, and the (3,) moments of its returns there."""

    folds: tuple[int, ...]
    chosen: tuple[int, ...]
    in_sample: FloatArray
    out_of_sample: FloatArray
    moments: FloatArray

    @property
    def bars(self) -> int:
        """Returns that are out of sample."""
        return int(self.moments[:, 0].sum())

    def sharpe(self, bars_per_year: float) -> float:
        """Annualized, of the chosen points' folds one after the other; NaN for returns that never vary."""
        return float(sharpes(self.moments.sum(axis=0)) * np.sqrt(bars_per_year))

    def degradation(self, bars_per_year: float) -> float:
        """How much of the annualized ratio in sample is gone out of sample, by their means over the folds; a fold that
        never varied has 0. A difference, since a part of next to nothing says nothing."""
        theirs = np.where(np.isnan(self.out_of_sample), 0.0, self.out_of_sample)
        return float((self.in_sample.mean() - theirs.mean()) * np.sqrt(bars_per_year))


def select(moments: FloatArray, scheme: str = "anchored", *, first: int = 1) -> Selection | None:
    """Walk through K folds with N points, whose (N, K, 3) moments are those that `metrics.moments` makes; NaN for a
    fold that a point was not tried on.

    Fold k is traded by the point with the highest Sharpe ratio in all folds before it (anchored), or in the one before
    it (rolling); among equals by the first. Who was not tried on it cannot be chosen for it. Folds before number
    `first` only choose. None when there is nothing to choose from; InvalidInput for another scheme.
    """
    if scheme not in SCHEMES:
        raise InvalidInput(f"the scheme of folds is {' or '.join(SCHEMES)}, not {scheme!r}")
    folds, chosen, ours = [], [], []
    for fold in range(max(1, first), moments.shape[1]):
        seen = moments[:, :fold] if scheme == "anchored" else moments[:, fold - 1 : fold]
        ratios = np.where(np.isnan(moments[:, fold, 0]), np.nan, sharpes(seen.sum(axis=1)))
        if not np.isnan(ratios).all():
            folds.append(fold)
            chosen.append(int(np.nanargmax(ratios)))
            ours.append(float(ratios[chosen[-1]]))
    if not folds:
        return None
    traded = moments[chosen, folds]
    return Selection(tuple(folds), tuple(chosen), np.array(ours), sharpes(traded), traded)


def sharpes(moments: FloatArray) -> FloatArray:
    """Mean over sample deviation a bar, of (..., 3) moments: NaN with fewer than two returns, or if they never vary."""
    count, total, squares = moments[..., 0], moments[..., 1], moments[..., 2]
    spread = count * squares - total * total
    varies = (count > 1) & (spread > _NOTHING * count * squares)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(varies, total * np.sqrt((count - 1) / (count * spread)), np.nan)


@dataclass(frozen=True, slots=True)
class Leak:
    """Rows `first` to `last` train for fold number `fold`, but what they learn from reaches into what tests it."""

    fold: int
    first: int
    last: int

    def __str__(self) -> str:
        return (
            f"fold {self.fold} trains on rows {self.first} to {self.last}, whose labels overlap the rows that test it"
        )


def leaks(folds: Sequence[Fold], label_bars: int) -> tuple[Leak, ...]:
    """Training rows whose label window overlaps one of the test's (López de Prado 2018, section 7.4.1): a row's label
    is known `label_bars` rows after it. Purging as many bars before each test leaves none."""
    found = []
    for number, fold in enumerate(folds):
        rows: NDArray[np.int64] = np.arange(*fold.train)
        start, end = fold.test
        overlaps = rows[(rows + label_bars >= start) & (rows < end + label_bars)]
        if len(overlaps):
            found.append(Leak(number, int(overlaps[0]), int(overlaps[-1])))
    return tuple(found)
