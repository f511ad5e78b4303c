"""A batch of a sweep's points, tried one after the other by a worker that keeps what they share: prices, and indicators
in bounded memory. Points come in the order of their windows, so that a batch needs few different ones at a time.
"""

import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from omc.backtest.algorithms import Algorithms, Decided
from omc.backtest.ground import Ground
from omc.backtest.kernel import Buffers, simulate
from omc.backtest.market import Market
from omc.backtest.metrics import METRICS, bounds, figures_and_moments
from omc.backtest.rounds import Outcome, blocks_per_fold
from omc.backtest.tried import Failure, IntArray
from omc.errors import CodeFailed, InvalidInput, OmcError, SandboxDied
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators

INDICATORS_BYTES = 192 * 2**20
"""What all indicators that a worker keeps may take."""
MOST_DEATHS = 5
"""After so many points that ended their sandbox, which takes up to a minute each, a batch is handed back."""
_LONGEST_TRACEBACK = 4_000


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Points by index with their searched parameters, column by column, to be tried on folds `first` to `stop`."""

    indices: IntArray
    names: tuple[str, ...]
    columns: tuple[Sequence[Any], ...]
    first: int
    stop: int

    def __repr__(self) -> str:
        return f"{len(self.indices)} points from {self.indices.min()}, folds {self.first} to {self.stop}"

    def part(self, start: int, stop: int) -> "Batch":
        """Its points from place `start` to before `stop`."""
        columns = tuple(column[start:stop] for column in self.columns)
        return Batch(self.indices[start:stop], self.names, columns, self.first, self.stop)

    def only(self, indices: Collection[int]) -> "Batch":
        """Those of its points, in its order."""
        places = [at for at, index in enumerate(self.indices.tolist()) if index in indices]
        columns = tuple([column[at] for at in places] for column in self.columns)
        return Batch(self.indices[places], self.names, columns, self.first, self.stop)

    def rows(self) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in zip(*self.columns, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Bars that points are tried on: rows of `frame` from `warm` on, those before only warm up."""

    frame: Frame
    warm: int
    market: Market
    edges: IntArray
    indicators: Indicators

    @classmethod
    def of(cls, ground: Ground, test: tuple[int, int], needed_bars: int, blocks: int, capacity_bytes: int) -> "Stretch":
        """Rows `test` of the ground's window, and as many before them as any point needs."""
        first, stop = (ground.first + row for row in test)
        begin = max(0, first - needed_bars)
        frame = ground.frame.rows(begin, stop)
        window = frame.rows(first - begin, len(frame))
        indicators = Indicators(frame.last, capacity_bytes)
        return cls(frame, first - begin, Market.quoted(window), bounds(len(window), blocks), indicators)


def _sharing(frame: Frame) -> Frame:
    """`frame`, in which prices that are the same share their memory: the processor then reads them once."""
    bits = frame.bid.view(np.int64)
    ask, last = (frame.bid if (bits == each.view(np.int64)).all() else each for each in (frame.ask, frame.last))
    return replace(frame, ask=ask, last=last)


class Desk:
    """Where a worker tries points: one a worker, for as many batches as it gets."""

    def __init__(
        self, ground: Ground, algorithms: Algorithms, tests: Sequence[tuple[int, int]], needed_bars: int
    ) -> None:
        """`tests` are the rows of the window that each fold tests on; all of the window where there are no folds."""
        ground = replace(ground, frame=_sharing(ground.frame))
        self._ground, self._algorithms = ground, algorithms
        self._blocks = blocks_per_fold(len(tests) if len(tests) > 1 else 0)
        self._buffers, self._needed_bars = Buffers(), needed_bars
        share = INDICATORS_BYTES // len(tests)
        self._stretches = [Stretch.of(ground, test, needed_bars, self._blocks, share) for test in tests]

    @property
    def cpu_s(self) -> float:
        """CPU seconds that were used for it in processes other than this one."""
        return self._algorithms.cpu_s

    def attempt(self, batch: Batch) -> Outcome:
        """Try the points of `batch`. One that raises fails alone; after several that ended their sandbox, the outcome
        is of those only that are over, for somebody to decide whether to go on with the others.

        SandboxRefused where no code is run, Unavailable where its sandbox does not start.
        """
        count, folds = len(batch.indices), batch.stop - batch.first
        figures = np.full((count, folds, len(METRICS)), np.nan)
        blocks = np.full((count, folds, self._blocks, 3), np.nan)
        failures: dict[int, Failure] = {}
        died: list[int] = []
        rows, indices = batch.rows(), batch.indices.tolist()
        reached = np.zeros(count, np.int64)
        for fold in range(folds):
            stretch = self._stretches[batch.first + fold]
            left = [at for at, index in enumerate(indices) if index not in failures]
            asked = self._algorithms.decide_each([rows[at] for at in left], stretch.frame, stretch.indicators)
            for at, decided in zip(left, asked, strict=True):
                try:
                    shown, blocks[at, fold] = self._try(stretch, decided)
                    figures[at, fold] = [np.nan if value is None else value for value in shown.values()]
                    reached[at] = fold + 1
                except Exception as fault:
                    # Whatever an algorithm raises is that point's own failure.
                    failures[indices[at]] = _failure(fault)
                    if isinstance(fault, SandboxDied):
                        died.append(indices[at])
                        if len(died) == MOST_DEATHS:
                            break
            if len(died) == MOST_DEATHS:
                break
        over = np.flatnonzero((reached == folds) | np.isin(batch.indices, list(failures)))
        return Outcome(
            batch.indices[over],
            batch.first,
            figures[over],
            blocks[over].reshape(len(over), -1, 3),
            failures,
            tuple(died),
        )

    def _try(self, stretch: Stretch, decided: Decided | Exception) -> tuple[dict[str, float | None], FloatArray]:
        if isinstance(decided, Exception):
            raise decided
        if decided.memory_bars > self._needed_bars + 1:
            raise InvalidInput(
                f"it remembers {decided.memory_bars} bars, its own included, and the search warms up "
                f"{self._needed_bars}: more than any of the points that it was planned by"
            )
        ground = self._ground
        simulation = simulate(
            stretch.market,
            decided.weights[stretch.warm :],
            ground.costs,
            cash_aud=ground.cash_aud,
            exits=decided.exits,
            buffers=self._buffers,
        )
        return figures_and_moments(simulation, ground.costs, ground.bar_s, stretch.edges)

    def close(self) -> None:
        """Leave nothing behind."""
        self._algorithms.close()


def _failure(fault: Exception) -> Failure:
    match fault:
        case CodeFailed():
            # It tells through which lines of the code it came: all of the traceback that there is.
            return Failure(str(fault), str(fault)[-_LONGEST_TRACEBACK:])
        case OmcError():
            return Failure(str(fault))
        case _:
            said = "".join(traceback.format_exception(fault))[-_LONGEST_TRACEBACK:]
            return Failure(f"{type(fault).__name__}: {fault}", said)
