"""The order of a sweep's work: rounds of points, each tried on some folds, the next following from all before it.

A round ends when all of its points are told, so what comes next never depends on who was faster: the same seed gives
the same results, whatever the number of workers. Bad points are given up by successive halving (Jamieson and Talwalkar
2016) with folds as its rungs: after each fold the best third by their mean score so far go on, the lowest index first
among equals; a point without a score is the worst. A search that learns asks for a generation of points at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol, Self

import numpy as np

from omc.backtest.metrics import METRICS
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep
from omc.backtest.tried import Failure, IntArray, Tried
from omc.feature.frame import FloatArray

BLOCKS = 16
"""Blocks of time, each with its moments, that every point keeps: so many of a window, or of all folds together."""
KEPT = 3
"""One in so many goes on after a fold."""
_WORST = ("max_drawdown",)
_COUNTED = ("trades", "bars")


class Proposer(Protocol):
    """A search that learns from the points that it proposed before. The same answers lead to the same proposals."""

    def ask(self, count: int) -> list[dict[str, Any]]:
        """Searched parameters of the next points."""
        ...

    def tell(self, scores: Sequence[Sequence[float | None]], folds: int) -> None:
        """Scores of the points asked for last, in their order: a mean a fold so far; fewer than `folds` for a point
        that was given up, none for one that failed. Of several folds the last is kept from it: what is proposed by how
        a fold went cannot be tested on that fold."""
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """Points to be tried on folds `first` to before `stop`. Before that, `dropped` have been given up."""

    indices: IntArray
    first: int
    stop: int
    dropped: IntArray


@dataclass(slots=True)
class Board:
    """What is known of every point: P points, M figures, F columns of scores (one without folds), B blocks."""

    parameters: list[dict[str, Any] | None]
    objective: int
    figures: FloatArray
    scores: FloatArray
    seen: IntArray
    blocks: FloatArray
    failures: dict[int, Failure]

    @classmethod
    def of(cls, sweep: Sweep, space: SearchSpace) -> Self:
        points, depths = space.points, max(1, sweep.folds)
        return cls(
            [None] * points,
            METRICS.index(sweep.objective),
            np.full((points, len(METRICS)), np.nan),
            np.full((points, depths), np.nan),
            np.zeros(points, np.int64),
            # What earlier folds showed is only needed again where folds come one by one.
            np.full((points, depths * blocks_per_fold(sweep.folds), 3) if sweep.prune else (0, 0, 3), np.nan),
            {},
        )

    def tell(self, tried: "Outcome", folds: int) -> Tried:
        """Add what a batch showed on its folds; returned is all that is known of its points now."""
        at, first = tried.indices, tried.first
        depth, width = tried.figures.shape[1], tried.blocks.shape[1] // tried.figures.shape[1]
        for step in range(depth):
            merged = merge(self.figures[at], tried.figures[:, step], first + step)
            self.figures[at] = merged
            self.scores[at, first + step] = tried.figures[:, step, self.objective]
        self.seen[at] = first + depth
        blocks = tried.blocks
        if self.blocks.size:
            self.blocks[at, first * width : (first + depth) * width] = blocks
            blocks = self.blocks[at, : (first + depth) * width]
        failed = list(tried.failures)
        self.failures |= tried.failures
        self.figures[failed] = np.nan
        return Tried(
            indices=at,
            parameters=[self.parameters[index] or {} for index in at.tolist()],
            names=METRICS,
            figures=self.figures[at],
            fold_scores=self.scores[at, : first + depth] if folds else np.empty((len(at), 0)),
            blocks=blocks,
            failures=tried.failures,
        )

    def remember(self, stored: Sequence[Tried], folds: int) -> None:
        """Take over what an earlier run of the same sweep stored."""
        for tried in stored:
            at = tried.indices
            for place, index in enumerate(at.tolist()):
                self.parameters[index] = dict(tried.parameters[place])
            for column, name in enumerate(METRICS):
                self.figures[at, column] = tried.column(name)
            depth = tried.folds_seen if folds else 1
            self.seen[at] = depth
            self.scores[at, :depth] = tried.fold_scores if folds else self.figures[at][:, [self.objective]]
            if self.blocks.size:
                self.blocks[at, : tried.blocks.shape[1]] = tried.blocks
            self.failures |= tried.failures

    @property
    def first_failure(self) -> str:
        """The reason of the failed point with the lowest index."""
        return self.failures[min(self.failures)].reason

    def means(self, indices: IntArray, folds: int) -> FloatArray:
        """Mean scores over the first folds; NaN when one of them has none, or the point failed."""
        means = self.scores[indices, :folds].sum(axis=1) / folds
        failed = np.isin(indices, list(self.failures))
        return np.where(failed, np.nan, means)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What N points of a batch showed on K folds from fold `first` on: (N, K, M) figures and (N, K x blocks, 3)."""

    indices: IntArray
    first: int
    figures: FloatArray
    blocks: FloatArray
    failures: Mapping[int, Failure]
    died: tuple[int, ...] = ()
    """Those that took their sandbox with them, by index, in the order in which they were tried."""


def rounds(sweep: Sweep, space: SearchSpace, board: Board, proposer: Proposer | None = None) -> Iterator[Round]:
    """All rounds of a sweep. Each must have been told to `board` before the next is asked for."""
    nobody = np.empty(0, np.int64)
    depths = max(1, sweep.folds)
    steps = range(depths) if sweep.prune else (depths,)
    for start, stop in _generations(space):
        if proposer is None:
            board.parameters[start:stop] = [{**space.fixed, **row} for row in space.draw(stop)[start:]]
        else:
            board.parameters[start:stop] = [{**space.fixed, **row} for row in proposer.ask(stop - start)]
        alive, dropped = np.arange(start, stop), nobody
        for step in steps:
            if sweep.prune:
                if step:
                    kept = survivors(alive, board.means(alive, step))
                    dropped, alive = np.setdiff1d(alive, [*kept, *board.failures]), kept
                yield Round(alive, step, step + 1, dropped)
            else:
                yield Round(alive, 0, depths, nobody)
        if proposer is not None:
            told = max(1, depths - 1)
            proposer.tell([_told(board, index, told) for index in range(start, stop)], told)


def _generations(space: SearchSpace) -> Iterator[tuple[int, int]]:
    size = min(500, max(32, ceil(space.points / 20))) if space.method == "optuna" else space.points
    for start in range(0, space.points, size):
        yield start, min(space.points, start + size)


def _told(board: Board, index: int, folds: int) -> list[float | None]:
    if index in board.failures:
        return []
    scores = board.scores[index, : min(board.seen[index], folds)]
    return [None if mean != mean else mean for mean in (np.cumsum(scores) / np.arange(1, len(scores) + 1)).tolist()]


def survivors(indices: IntArray, means: FloatArray) -> IntArray:
    """The best third, in the order of their indices; of those that have a score."""
    known = np.flatnonzero(~np.isnan(means))
    order = known[np.lexsort((indices[known], -means[known]))]
    return np.sort(indices[order[: ceil(len(indices) / KEPT)]])


def merge(so_far: FloatArray, more: FloatArray, folds: int) -> FloatArray:
    """(N, M) figures of METRICS over `folds` folds and one more: sums of what is counted or paid, the worst drawdown,
    means of everything else; NaN where a fold has none."""
    if not folds:
        return more
    merged = (so_far * folds + more) / (folds + 1)
    for column, name in enumerate(METRICS):
        if name in _COUNTED or name.endswith("_aud"):
            merged[:, column] = so_far[:, column] + more[:, column]
        elif name in _WORST:
            merged[:, column] = np.minimum(so_far[:, column], more[:, column])
    return merged


def blocks_per_fold(folds: int) -> int:
    return max(1, BLOCKS // max(1, folds))
