"""A search over an algorithm's parameters, and every point that it tried."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from omc.access.quota import Quota, check_room
from omc.backtest.folds import folds
from omc.backtest.run import BacktestSpec, RunStatus
from omc.backtest.tried import SweepPoint as SweepPoint
from omc.backtest.tried import Tried, by_depth
from omc.clock import Clock
from omc.errors import Conflict, NotFound
from omc.promotion.trials import MemoryTries, Tally

METHODS = ("grid", "random", "optuna")


@dataclass(frozen=True, slots=True)
class Sweep:
    """`space` maps a parameter to its list of values, or to {"low", "high", "log", "integer"} (not for a grid);
    `method` is one of METHODS; `objective` names a metric, of which more is better."""

    id: UUID
    user_id: UUID
    algorithm_id: UUID
    algorithm_version: int
    spec: BacktestSpec
    space: Mapping[str, Any]
    method: str
    points: int
    """How many points the search has."""
    seed: int
    objective: str
    status: RunStatus
    done: int
    """Points that are over: tried on all folds, failed, or pruned."""
    best: Mapping[str, Any] | None
    """{"index", "parameters", "metrics"} of the point that ranks first by the objective, and its "fold_scores" where
    there are folds."""
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    folds: int = 0
    """Of a walk-forward; 0 tries every point on the whole window."""
    scheme: str = "anchored"
    purge_bars: int = 0
    embargo_bars: int = 0
    prune: bool = False
    """Whether bad points are given up after some folds."""
    failed: int = 0
    pruned: int = 0
    driver: str | None = None
    """Who carries it out, or did last."""

    def tests(self, rows: int) -> list[tuple[int, int]]:
        """Which of the window's `rows` each fold tests on; all of them where there are no folds."""
        if not self.folds:
            return [(0, rows)]
        cut = folds(rows, self.folds, scheme=self.scheme, purge_bars=self.purge_bars, embargo_bars=self.embargo_bars)
        return [fold.test for fold in cut]


class SweepStore(Protocol):
    async def create(self, sweep: Sweep, most: int | None = None) -> Sweep:
        """Conflict when it is there already; RateLimited when its owner has `most` others that are queued or running,
        and nothing is stored."""
        ...

    async def under_way(self, user_id: UUID) -> int:
        """How many of a user's sweeps are queued or running."""
        ...

    async def get(self, sweep_id: UUID, user_id: UUID | None = None) -> Sweep: ...

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Sweep], int]: ...

    async def unfinished(self) -> list[UUID]:
        """Everybody's sweeps that are QUEUED or RUNNING, the oldest first."""
        ...

    async def start(self, sweep_id: UUID) -> Sweep:
        """QUEUED or RUNNING -> RUNNING; Conflict when it is over."""
        ...

    async def claim(self, driver: str, sweep_id: UUID | None = None) -> Sweep | None:
        """Take the oldest QUEUED sweep, or just this one, for `driver`: it is RUNNING from now on, and nobody else gets
        it. None when there is none to be had."""
        ...

    async def abandon(self, driver: str, why: str) -> None:
        """`driver` died: what it was carrying out has FAILED."""
        ...

    async def reopen(self, sweep_id: UUID, *, interrupted: bool = False, most: int | None = None) -> Sweep:
        """FAILED -> QUEUED, with every point that it has, and so RUNNING when its driver is known to be gone:
        `interrupted`. QUEUED and RUNNING stay otherwise; Conflict for the others. RateLimited for one that FAILED when
        its owner has `most` others that are queued or running."""
        ...

    async def add(self, sweep_id: UUID, tried: Tried) -> Sweep:
        """Store points by index; a point stored again replaces itself. Counts them up and keeps the best."""
        ...

    async def prune(self, sweep_id: UUID, indices: Sequence[int], folds_seen: int) -> Sweep:
        """Points that are given up after `folds_seen` folds; those that were already stay as they are."""
        ...

    async def tried(self, sweep_id: UUID) -> list[Tried]:
        """Everything stored so far, by the number of folds seen, each in order of the index: where a resumed sweep goes
        on. Figures of a point that has none are NaN."""
        ...

    async def ranking(
        self, sweep_id: UUID, user_id: UUID, sort: str, descending: bool, offset: int = 0, limit: int | None = None
    ) -> tuple[list[int], int]:
        """Indices ranked by a metric or "index" (see `ranked`), and how many points there are."""
        ...

    async def results(self, sweep_id: UUID, indices: Sequence[int]) -> list[SweepPoint]:
        """These points, in this order; of an index that is not stored, nothing."""
        ...

    async def finish(self, sweep_id: UUID, status: RunStatus, error_message: str | None = None) -> Sweep:
        """Close it; a sweep that is over already stays as it is."""
        ...


class SweepRunner(Protocol):
    """Whatever carries a stored sweep out, away from the request that asked for it."""

    async def submit(self, sweep_id: UUID) -> None:
        """Carry it out, or on; one that is being carried out is left alone."""
        ...

    async def cancel(self, sweep_id: UUID) -> None: ...


@dataclass(slots=True)
class MemorySweepStore:
    """A SweepStore that lives and dies with the process."""

    clock: Clock
    kept: dict[UUID, Sweep] = field(default_factory=dict)
    points: dict[UUID, dict[int, SweepPoint]] = field(default_factory=dict)
    tries: MemoryTries = field(default_factory=MemoryTries)

    async def create(self, sweep: Sweep, most: int | None = None) -> Sweep:
        if sweep.id in self.kept:
            raise Conflict(f"there is a sweep {sweep.id} already")
        check_room(Quota.SWEEPS, self._under_way(sweep.user_id), most)
        self.kept[sweep.id], self.points[sweep.id] = sweep, {}
        return sweep

    async def under_way(self, user_id: UUID) -> int:
        return self._under_way(user_id)

    def _under_way(self, user_id: UUID) -> int:
        return sum(sweep.user_id == user_id and not sweep.status.over for sweep in self.kept.values())

    async def get(self, sweep_id: UUID, user_id: UUID | None = None) -> Sweep:
        found = self.kept.get(sweep_id)
        if found is None or user_id not in (None, found.user_id):
            raise NotFound(f"there is no sweep {sweep_id}")
        return found

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Sweep], int]:
        owned = [sweep for sweep in self.kept.values() if sweep.user_id == user_id]
        owned.sort(key=lambda sweep: sweep.created_at, reverse=True)
        return owned[offset : offset + limit], len(owned)

    async def unfinished(self) -> list[UUID]:
        going = [sweep for sweep in self.kept.values() if not sweep.status.over]
        return [sweep.id for sweep in sorted(going, key=lambda sweep: sweep.created_at)]

    async def start(self, sweep_id: UUID) -> Sweep:
        sweep = await self.get(sweep_id)
        if sweep.status.over:
            raise Conflict(f"the sweep is {sweep.status} already")
        started_at = sweep.started_at or self.clock.now()
        self.kept[sweep_id] = replace(sweep, status=RunStatus.RUNNING, started_at=started_at)
        return self.kept[sweep_id]

    async def claim(self, driver: str, sweep_id: UUID | None = None) -> Sweep | None:
        queued = [each for each in await self.unfinished() if self.kept[each].status is RunStatus.QUEUED]
        for each in queued:
            if sweep_id in (None, each):
                self.kept[each] = replace(self.kept[each], driver=driver)
                return await self.start(each)
        return None

    async def abandon(self, driver: str, why: str) -> None:
        for each in await self.unfinished():
            sweep = self.kept[each]
            if (sweep.driver, sweep.status) == (driver, RunStatus.RUNNING):
                await self.finish(each, RunStatus.FAILED, why)

    async def reopen(self, sweep_id: UUID, *, interrupted: bool = False, most: int | None = None) -> Sweep:
        sweep = await self.get(sweep_id)
        check_reopens(sweep)
        if sweep.status is RunStatus.FAILED:
            check_room(Quota.SWEEPS, self._under_way(sweep.user_id), most)
        if sweep.status is RunStatus.FAILED or (interrupted and sweep.status is RunStatus.RUNNING):
            changed = replace(sweep, status=RunStatus.QUEUED, driver=None, error_message=None, completed_at=None)
            self.kept[sweep_id] = changed
        return self.kept[sweep_id]

    async def add(self, sweep_id: UUID, tried: Tried) -> Sweep:
        sweep, stored, points = await self.get(sweep_id), self.points[sweep_id], tried.points()
        replaced = by_depth(stored[point.index] for point in points if point.index in stored)
        stored |= {point.index: point for point in points}
        before = sum((part.tally() for part in replaced), Tally())
        self.tries.count(sweep.algorithm_id, sweep_id, tried.tally(), replaced=before)
        return self._counted(sweep_id)

    async def prune(self, sweep_id: UUID, indices: Sequence[int], folds_seen: int) -> Sweep:
        await self.get(sweep_id)
        stored = self.points[sweep_id]
        for index in indices:
            if stored[index].pruned_after is None:
                stored[index] = replace(stored[index], pruned_after=folds_seen)
        return self._counted(sweep_id)

    def _counted(self, sweep_id: UUID) -> Sweep:
        sweep, stored = self.kept[sweep_id], self.points[sweep_id].values()
        best = next(iter(ranked(stored, sweep.objective, descending=True)), None)
        failed = sum(point.error is not None for point in stored)
        pruned = sum(point.pruned_after is not None for point in stored)
        self.kept[sweep_id] = replace(
            sweep,
            done=sum(is_over(point, sweep.folds) for point in stored),
            failed=failed,
            pruned=pruned,
            best=None if best is None or best.metrics.get(sweep.objective) is None else shown(best),
        )
        return self.kept[sweep_id]

    async def tried(self, sweep_id: UUID) -> list[Tried]:
        return by_depth(self.points.get(sweep_id, {}).values())

    async def ranking(
        self, sweep_id: UUID, user_id: UUID, sort: str, descending: bool, offset: int = 0, limit: int | None = None
    ) -> tuple[list[int], int]:
        await self.get(sweep_id, user_id)
        stored = ranked(self.points[sweep_id].values(), sort, descending=descending)
        stop = None if limit is None else offset + limit
        return [point.index for point in stored[offset:stop]], len(stored)

    async def results(self, sweep_id: UUID, indices: Sequence[int]) -> list[SweepPoint]:
        stored = self.points[sweep_id]
        return [stored[index] for index in indices if index in stored]

    async def finish(self, sweep_id: UUID, status: RunStatus, error_message: str | None = None) -> Sweep:
        sweep = await self.get(sweep_id)
        if not sweep.status.over:
            now = self.clock.now()
            self.kept[sweep_id] = replace(sweep, status=status, error_message=error_message, completed_at=now)
        return self.kept[sweep_id]


def ranked(points: Iterable[SweepPoint], sort: str, *, descending: bool) -> list[SweepPoint]:
    """By a metric, or by "index"; among equals the lowest index first.

    Points that were tried on more folds come before those that were given up earlier, whatever their luck was so far;
    points without the metric come last.
    """
    if sort == "index":
        return sorted(points, key=lambda point: point.index, reverse=descending)

    def place(point: SweepPoint) -> tuple[bool, int, float, int]:
        figure = point.metrics.get(sort)
        worth = 0.0 if figure is None else -figure if descending else figure
        return figure is None, -len(point.fold_scores), worth, point.index

    return sorted(points, key=place)


def is_over(point: SweepPoint, folds: int) -> bool:
    return point.error is not None or point.pruned_after is not None or len(point.fold_scores) == folds


def shown(point: SweepPoint) -> dict[str, Any]:
    """A point as the best of its sweep."""
    best = {"index": point.index, "parameters": dict(point.parameters), "metrics": dict(point.metrics)}
    return best | ({"fold_scores": list(point.fold_scores)} if point.fold_scores else {})


def check_reopens(sweep: Sweep) -> None:
    """Conflict for a sweep that nothing is left of to do, or that somebody did not want."""
    if sweep.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        raise Conflict(f"the sweep is {sweep.status}: only one that failed or was interrupted goes on")
