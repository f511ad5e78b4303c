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
from omc.backtest.tried import IntArray
from omc.errors import Refused, Unavailable
from tune_jobs.batch import Batch
from tune_jobs.deaths import Deaths

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

# Long beside what Tune adds to a trial, short beside anybody's patience.
_BATCH_S, _SHORTEST_S = 1.0, 0.1
# What a worker does a second, in bars times coins, until one has shown it. What else a point costs is worth a few
# thousand bars more.
CELLS_PER_S, _POINT_CELLS = 300_000_000.0, 10_000
CODE_CELLS_PER_S = 3_000_000.0
"""The same of people's code, which may take any time."""
_FASTER = 2.0
# As a round ends, batches become smaller, several for each worker, so that none waits long for the last.
_ROUNDS = 3
_POLL_S = 0.5
_STORE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
# So many batches may wait for the store before the sweep waits too.
_WAITING = 4

Charge = Callable[[float], Awaitable[str | None]]
"""Told of CPU seconds that were used since it was told last; a sentence ends the sweep with it, to go on later."""


async def nothing(_: float) -> str | None:
    """A Charge for whoever need not pay."""
    return None


async def nobody() -> None:
    """Is told by whoever need not pay that batches were broken off."""


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
    cells_per_s: float = CELLS_PER_S
    charge: Charge = nothing
    stopped: str | None = None
    """Why it ends before all was tried."""
    faults: list[str] = field(default_factory=list)
    broken: Exception | None = None
    """What the store said when it could not keep a batch."""
    over: bool = False
    """Nothing is left to be handed out."""
    _deaths: Deaths = field(init=False)
    _rounds: Iterator[Round] | None = None
    _round: Batch | None = None
    """All points of the round that is on, of which those before place `_at` were handed out."""
    _at: int = 0
    _back: list[Batch] = field(default_factory=list)
    """What was handed out and came back untried."""
    _in_flight: int = 0
    _untold: int = 0
    _share: int = 1
    _keeping: deque[Future[Any]] = field(default_factory=deque)
    _charging: deque[Future[str | None]] = field(default_factory=deque)
    _closed: bool = False
    _asked_at: float = 0.0

    def __post_init__(self) -> None:
        self._deaths = Deaths(self.space.points)

    def next_batch(self) -> Batch | None:
        """None while this sweep has its share of the cluster, while a round ends, and when all is `over`."""
        if self.closed():
            self.over = True
            return None
        if self._in_flight >= self._share:
            return None
        while self._round is None and not self._back:
            if self._in_flight:
                return None
            if self.faults or not self._next_round():
                self.over = True
                return None
        self._in_flight += 1
        self._untold += 1
        # Where many points end their sandboxes, it shows soonest among neighbours.
        return self._back.pop(0) if self._round is None or self._back else self._cut(self._round)

    def _cut(self, whole: Batch) -> Batch:
        """The next batch of the round."""
        start, left = self._at, len(whole.indices) - self._at
        self._at += self._size(left, self._cells_of(1, whole.first, whole.stop))
        batch = whole.part(start, self._at)
        if self._at >= start + left:
            self._round = None
        return batch

    def ended(self) -> None:
        """A batch was tried, or given up."""
        self._in_flight -= 1

    @property
    def broke_off(self) -> bool:
        """Whether there are batches of which nobody has told what they used."""
        return self._untold > 0

    def take_back(self, left: Batch) -> None:
        """Points of a batch that were not tried."""
        self._back.append(left)

    def keep(self, outcome: Outcome, took_s: float, cpu_s: float = 0.0) -> None:
        """What a batch showed in so many seconds, to be stored while the next one runs, and the CPU seconds that it
        used."""
        self._untold -= 1
        self._charging.append(self._begin(lambda: self.charge(cpu_s)))
        if not outcome.indices.size:
            return
        stop = outcome.first + outcome.figures.shape[1]
        pace = self._cells_of(len(outcome.indices), outcome.first, stop) / max(took_s, 1e-3)
        # Points that are refused take no time, and say nothing of the next.
        self.cells_per_s = min(pace, _FASTER * self.cells_per_s)
        self.stopped = self._deaths.hopeless(outcome) or self.stopped
        tried = self.board.tell(outcome, self.sweep.folds)
        while len(self._keeping) >= _WAITING:
            self._settle()
        self._keeping.append(self._begin(lambda: self.store.add(self.sweep.id, tried)))

    def stored(self) -> None:
        """Return when everything that was kept is stored, and paid for; raises what kept it from being."""
        while self._keeping:
            self._settle()
        while self._charging:
            self._paid()

    def _settle(self) -> None:
        try:
            self._keeping.popleft().result()
        except Exception as fault:
            # Tune would wrap it into a page of its own.
            self.broken = fault
            raise

    def _paid(self) -> None:
        try:
            self.stopped = self._charging.popleft().result() or self.stopped
        except Exception as fault:
            self.broken = fault
            raise

    def closed(self) -> bool:
        """Whether it ends now: somebody closed the sweep, or it has to stop. The store is asked now and then, and how
        many sweeps share the cluster."""
        while self._charging and self._charging[0].done():
            self._paid()
        if self.stopped:
            return True
        if not self._closed and time.monotonic() - self._asked_at > _POLL_S:
            self._closed = self._begin(lambda: self.store.get(self.sweep.id)).result().status.over
            under_way = self._begin(self.store.unfinished).result()
            self._share = max(1, self.slots // max(1, len(under_way)))
            self._asked_at = time.monotonic()
        return self._closed

    def _next_round(self) -> bool:
        """Go on to the next round that has anything to do; False when there is none."""
        if self._rounds is None:
            # Whoever leaves the loop below leaves this open: it goes on where it stopped.
            self._rounds = self._sound(rounds(self.sweep, self.space, self.board, self.proposer))
        for found in self._rounds:
            if found.dropped.size:
                self.stored()
                dropped, seen = found.dropped.tolist(), found.first
                self._begin(lambda: self.store.prune(self.sweep.id, dropped, seen)).result()  # noqa: B023
            left = found.indices[self.board.seen[found.indices] < found.stop]
            left = left[~np.isin(left, list(self.board.failures))]
            if left.size:
                self._round, self._at = self._ordered(left, found.first, found.stop), 0
                self._deaths.begin(self._round.indices)
                return True
        return False

    def _sound(self, found: Iterator[Round]) -> Iterator[Round]:
        """They draw points, of which people's code may say what it likes."""
        try:
            yield from found
        except Refused as fault:
            self.broken = fault
            raise

    def _ordered(self, indices: IntArray, first: int, stop: int) -> Batch:
        names = tuple(self.space.choices)
        rows = [{name: (self.board.parameters[index] or {})[name] for name in names} for index in indices.tolist()]
        order = by_window(rows, indices.tolist())
        return Batch(indices[order], names, tuple([rows[at][name] for at in order] for name in names), first, stop)

    def _cells_of(self, points: int, first: int, stop: int) -> int:
        return points * (sum(self.cells[first:stop]) + _POINT_CELLS)

    def _size(self, left: int, cells: int) -> int:
        """How many of the points `left`, of so many `cells` each, to hand out at once."""
        per_s = self.cells_per_s / cells
        fair = max(left / (_ROUNDS * self.slots), _SHORTEST_S * per_s)
        size = max(1, ceil(min(fair, _BATCH_S * per_s)))
        return min(size, left, self.largest_batch or size)

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
