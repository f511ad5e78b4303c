"""Between Tune's thread, which asks for batches and brings their results, and the store on its event loop."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeVar

import numpy as np

from omc.backtest.rounds import Board, Outcome, Proposer, Round, rounds
from omc.backtest.search_space import SearchSpace, by_window
from omc.backtest.sweep import Sweep, SweepStore
from omc.errors import Unavailable
from tune_jobs.batch import Batch

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

# A batch of this many bars times coins is some half a second of work: long beside what Tune adds to a trial, short
# beside anybody's patience. What else a point costs is worth a few thousand bars more.
_BATCH_CELLS, _POINT_CELLS = 150_000_000, 10_000
# Where there is not enough to do for batches of that size, several for each worker, so that none waits for the last.
_ROUNDS = 3
_SMALLEST = 10
_POLL_S = 0.5
_STORE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
# So many batches may wait for the store before the sweep waits too.
_WAITING = 4


@dataclass(slots=True)
class Driver:
    """One sweep being carried out. All methods are for Tune's thread; `loop` is the store's.

    `slots` is how many batches may run at once in the cluster, which all sweeps that are under way share evenly;
    `cells` is how many bars times coins each fold has.
    """

    sweep: Sweep
    space: SearchSpace
    board: Board
    proposer: Proposer | None
    store: SweepStore
    loop: asyncio.AbstractEventLoop
    slots: int
    cells: Sequence[int]
    largest_batch: int | None = None
    faults: list[str] = field(default_factory=list)
    broken: Exception | None = None
    """What the store said when it could not keep a batch."""
    over: bool = False
    """Nothing is left to be handed out."""
    _rounds: Iterator[Round] | None = None
    _waiting: deque[Batch] = field(default_factory=deque)
    _in_flight: int = 0
    _share: int = 1
    _keeping: deque[Future[Any]] = field(default_factory=deque)
    _closed: bool = False
    _asked_at: float = 0.0

    def next_batch(self) -> Batch | None:
        """None while this sweep has its share of the cluster, while a round ends, and when all is `over`."""
        self.closed()
        if self._in_flight >= self._share:
            return None
        while not self._waiting:
            if self._in_flight:
                return None
            if self.faults or not self._next_round():
                self.over = True
                return None
        self._in_flight += 1
        return self._waiting.popleft()

    def ended(self) -> None:
        """A batch was tried, or given up."""
        self._in_flight -= 1

    def keep(self, outcome: Outcome) -> None:
        """What a batch showed, to be stored while the next one runs."""
        tried = self.board.tell(outcome, self.sweep.folds)
        while len(self._keeping) >= _WAITING:
            self._settle()
        self._keeping.append(self._begin(lambda: self.store.add(self.sweep.id, tried)))

    def stored(self) -> None:
        """Return when everything that was kept is stored; raises what kept it from being."""
        while self._keeping:
            self._settle()

    def _settle(self) -> None:
        try:
            self._keeping.popleft().result()
        except Exception as fault:
            # Tune would wrap it into a page of its own.
            self.broken = fault
            raise

    def closed(self) -> bool:
        """Whether somebody closed the sweep; the store is asked now and then, and how many sweeps share the cluster."""
        if not self._closed and time.monotonic() - self._asked_at > _POLL_S:
            self._closed = self._begin(lambda: self.store.get(self.sweep.id)).result().status.over
            under_way = self._begin(self.store.unfinished).result()
            self._share = max(1, self.slots // max(1, len(under_way)))
            self._asked_at = time.monotonic()
        return self._closed

    def _next_round(self) -> bool:
        """Cut the next round that has anything to do into batches; False when there is none."""
        if self._rounds is None:
            self._rounds = rounds(self.sweep, self.space, self.board, self.proposer)
        for found in self._rounds:
            if found.dropped.size:
                self.stored()
                dropped, seen = found.dropped.tolist(), found.first
                self._begin(lambda: self.store.prune(self.sweep.id, dropped, seen)).result()  # noqa: B023
            left = found.indices[self.board.seen[found.indices] < found.stop]
            left = left[~np.isin(left, list(self.board.failures))]
            if left.size:
                self._waiting.extend(self._batches(left, found.first, found.stop))
                return True
        return False

    def _batches(self, indices: np.ndarray, first: int, stop: int) -> list[Batch]:
        names = tuple(self.space.choices)
        rows = [{name: (self.board.parameters[index] or {})[name] for name in names} for index in indices.tolist()]
        order = by_window(rows, indices.tolist())
        columns = [[rows[at][name] for at in order] for name in names]
        indices, size = indices[order], self._size(len(indices), sum(self.cells[first:stop]))
        return [
            Batch(indices[at : at + size], names, tuple(column[at : at + size] for column in columns), first, stop)
            for at in range(0, len(indices), size)
        ]

    def _size(self, points: int, cells: int) -> int:
        most = _BATCH_CELLS / (cells + _POINT_CELLS)
        fair = ceil(points / (_ROUNDS * self.slots))
        size = max(1, min(ceil(most), max(fair, ceil(most / _SMALLEST))))
        return min(size, self.largest_batch or size)

    def _begin(self, question: Callable[[], Awaitable[Answer]]) -> "Future[Answer]":
        return asyncio.run_coroutine_threadsafe(_patiently(question), self.loop)


async def _patiently(question: Callable[[], Awaitable[Answer]]) -> Answer:
    """The store's answer; while it is away for a moment, the sweep waits for it."""
    for pause_s in _STORE_PAUSES_S:
        try:
            return await question()
        except Unavailable as fault:
            logger.warning("the store of sweeps is away", extra={"fault": str(fault)})
            await asyncio.sleep(pause_s)
    return await question()
