"""Points of a sweep that were tried, in columns: a sweep has a hundred thousand of them, and no object for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray
from omc.promotion.trials import Tally

IntArray = NDArray[np.int64]
BLOCK_BYTES = 24


class Failure(NamedTuple):
    """Why a point has no figures."""

    reason: str
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One tried point. `metrics` holds finite numbers or None; a point that failed has no figures, but a reason.

    In a sweep with folds the metrics are those of the folds that it was tried on so far: sums of what is counted, the
    worst drawdown, means of everything else. `blocks` is little-endian float64 (B, 3) in C order: number, sum and sum
    of squares of the returns a bar in each block of time.
    """

    index: int
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    error: str | None = None
    blocks: bytes | None = None
    fold_scores: tuple[float | None, ...] = ()
    pruned_after: int | None = None
    """The number of folds after which it was given up."""
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """N points that were tried on as many folds, K, each: M figures, K scores and B blocks a point.

    NaN is a figure or a score that does not exist. `failures` are by index; a point that failed has no figures.
    """

    indices: IntArray
    parameters: Sequence[Mapping[str, Any]]
    names: tuple[str, ...]
    figures: FloatArray
    fold_scores: FloatArray
    blocks: FloatArray
    failures: Mapping[int, Failure] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def folds_seen(self) -> int:
        return self.fold_scores.shape[1]

    def column(self, name: str) -> FloatArray:
        """(N,) of one figure; all NaN for one that is not known here."""
        return self.figures[:, self.names.index(name)] if name in self.names else np.full(len(self), np.nan)

    def best(self, objective: str) -> int | None:
        """The row with the highest objective, of the lowest index among equals; None when no point has one."""
        scores = self.column(objective)
        known = np.flatnonzero(~np.isnan(scores))
        if not known.size:
            return None
        return int(known[np.lexsort((self.indices[known], -scores[known]))[0]])

    @property
    def returns(self) -> FloatArray:
        """(N,) how many returns each was measured by; NaN for one without blocks."""
        return self.blocks[..., 0].sum(axis=1) if self.blocks.size else np.full(len(self), np.nan)

    def tally(self) -> Tally:
        """What all of them count for as tries. How many returns a year has is what their deviation in the blocks was
        multiplied by to the volatility among their figures, both of them means over the folds."""
        deviations = [deviation(fold.sum(axis=1)) for fold in np.split(self.blocks, max(1, self.folds_seen), axis=1)]
        with np.errstate(divide="ignore", invalid="ignore"):
            bars_per_year = (self.column("volatility") / np.mean(deviations, axis=0)) ** 2
        return Tally.of(self.column("sharpe"), self.returns, bars_per_year)

    def points(self) -> list[SweepPoint]:
        """One by one."""
        return [self.point(row) for row in range(len(self))]

    def point(self, row: int) -> SweepPoint:
        index = int(self.indices[row])
        failure = self.failures.get(index)
        return SweepPoint(
            index=index,
            parameters=self.parameters[row],
            metrics=dict(zip(self.names, without_nan(self.figures[row]), strict=True)),
            error=failure.reason if failure else None,
            blocks=self.blocks[row].astype("<f8").tobytes() if self.blocks[row].size else None,
            fold_scores=without_nan(self.fold_scores[row]),
            traceback=failure.traceback if failure else None,
        )

    @classmethod
    def of(cls, points: Iterable[SweepPoint]) -> Self:
        """The inverse of `points`. InvalidInput for points of different folds, and for a figure that is not finite."""
        given = list(points)
        names = tuple(dict.fromkeys(name for point in given for name in point.metrics))
        folds, blocks = ({len(getattr(p, name) or ()) for p in given} or {0} for name in ("fold_scores", "blocks"))
        if len(folds) > 1 or len(blocks) > 1:
            raise InvalidInput("points of different numbers of folds or blocks are stored one after the other")
        for point in given:
            for name, figure in point.metrics.items():
                if figure is not None and not np.isfinite(figure):
                    raise InvalidInput(f"point {point.index}: {name} is not a finite number")
        return cls(
            np.array([point.index for point in given], np.int64),
            [point.parameters for point in given],
            names,
            with_nan([[point.metrics.get(name) for name in names] for point in given], len(names)),
            with_nan([point.fold_scores for point in given], max(folds)),
            np.frombuffer(b"".join(point.blocks or b"" for point in given), "<f8").reshape(
                len(given), max(blocks) // BLOCK_BYTES, 3
            ),
            {point.index: Failure(point.error, point.traceback) for point in given if point.error is not None},
        )


def by_depth(points: Iterable[SweepPoint]) -> list[Tried]:
    """Those that were tried on as many folds together, few folds first, in the order of their indices."""
    stored = sorted(points, key=lambda point: (len(point.fold_scores), point.index))
    depths = sorted({len(point.fold_scores) for point in stored})
    return [Tried.of(point for point in stored if len(point.fold_scores) == depth) for depth in depths]


def deviation(moments: FloatArray) -> FloatArray:
    """The sample deviation of the returns behind (..., 3) moments; NaN with fewer than two."""
    count, total, squares = moments[..., 0], moments[..., 1], moments[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count > 1, np.sqrt(np.maximum(squares - total**2 / count, 0.0) / (count - 1)), np.nan)


def without_nan(values: FloatArray) -> tuple[float | None, ...]:
    """As plain numbers, None for NaN."""
    return tuple(None if value != value else value for value in values.tolist())


def with_nan(rows: Sequence[Sequence[float | None]], width: int) -> FloatArray:
    """(len(rows), width), NaN for None."""
    return np.array([[np.nan if value is None else value for value in row] for row in rows], float).reshape(
        len(rows), width
    )
