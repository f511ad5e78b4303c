"""A search over an algorithm's parameters, and every point that it tried."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from omc.backtest.run import BacktestSpec, RunStatus
from omc.clock import Clock
from omc.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Sweep:
    """`space` maps a parameter to its list of values (grid) or to {"low", "high", "log", "integer"} (random);
    `method` is grid or random; `objective` names a metric, of which more is better."""

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
    best: Mapping[str, Any] | None
    """{"index", "parameters", "metrics"} of the point with the highest objective, the lowest index among equals."""
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One tried point. `metrics` holds finite numbers or None; a point that failed has no figures, but a reason."""

    index: int
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    error: str | None = None


class SweepStore(Protocol):
    async def create(self, sweep: Sweep) -> Sweep: ...

    async def get(self, sweep_id: UUID, user_id: UUID | None = None) -> Sweep: ...

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Sweep], int]: ...

    async def start(self, sweep_id: UUID) -> Sweep:
        """QUEUED or RUNNING -> RUNNING; Conflict when it is over."""
        ...

    async def add(self, sweep_id: UUID, points: Sequence[SweepPoint]) -> Sweep:
        """Store points by index; a point stored again replaces itself. Updates `done` and `best`."""
        ...

    async def indices(self, sweep_id: UUID) -> frozenset[int]:
        """Points stored so far: a resumed sweep leaves them out."""
        ...

    async def results(
        self, sweep_id: UUID, user_id: UUID, sort: str, descending: bool, offset: int, limit: int
    ) -> tuple[list[SweepPoint], int]:
        """Ranked by a metric or "index"; points without the metric come last."""
        ...

    async def finish(self, sweep_id: UUID, status: RunStatus, error_message: str | None = None) -> Sweep:
        """Close it; a sweep that is over already stays as it is."""
        ...


class SweepRunner(Protocol):
    """Whatever carries a stored sweep out, away from the request that asked for it."""

    async def submit(self, sweep_id: UUID) -> None: ...

    async def cancel(self, sweep_id: UUID) -> None: ...


@dataclass(slots=True)
class MemorySweepStore:
    """A SweepStore that lives and dies with the process."""

    clock: Clock
    kept: dict[UUID, Sweep] = field(default_factory=dict)
    points: dict[UUID, dict[int, SweepPoint]] = field(default_factory=dict)

    async def create(self, sweep: Sweep) -> Sweep:
        if sweep.id in self.kept:
            raise Conflict(f"there is a sweep {sweep.id} already")
        self.kept[sweep.id], self.points[sweep.id] = sweep, {}
        return sweep

    async def get(self, sweep_id: UUID, user_id: UUID | None = None) -> Sweep:
        found = self.kept.get(sweep_id)
        if found is None or user_id not in (None, found.user_id):
            raise NotFound(f"there is no sweep {sweep_id}")
        return found

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Sweep], int]:
        owned = [sweep for sweep in self.kept.values() if sweep.user_id == user_id]
        owned.sort(key=lambda sweep: sweep.created_at, reverse=True)
        return owned[offset : offset + limit], len(owned)

    async def start(self, sweep_id: UUID) -> Sweep:
        sweep = await self.get(sweep_id)
        if sweep.status.over:
            raise Conflict(f"the sweep is {sweep.status} already")
        started_at = sweep.started_at or self.clock.now()
        self.kept[sweep_id] = replace(sweep, status=RunStatus.RUNNING, started_at=started_at)
        return self.kept[sweep_id]

    async def add(self, sweep_id: UUID, points: Sequence[SweepPoint]) -> Sweep:
        sweep = await self.get(sweep_id)
        stored = self.points[sweep_id]
        stored.update({point.index: point for point in points})
        best = next(iter(ranked(stored.values(), sweep.objective, descending=True)), None)
        if best is None or best.metrics.get(sweep.objective) is None:
            shown = None
        else:
            shown = {"index": best.index, "parameters": dict(best.parameters), "metrics": dict(best.metrics)}
        self.kept[sweep_id] = replace(sweep, done=len(stored), best=shown)
        return self.kept[sweep_id]

    async def indices(self, sweep_id: UUID) -> frozenset[int]:
        return frozenset(self.points.get(sweep_id, {}))

    async def results(
        self, sweep_id: UUID, user_id: UUID, sort: str, descending: bool, offset: int, limit: int
    ) -> tuple[list[SweepPoint], int]:
        await self.get(sweep_id, user_id)
        stored = ranked(self.points[sweep_id].values(), sort, descending=descending)
        return stored[offset : offset + limit], len(stored)

    async def finish(self, sweep_id: UUID, status: RunStatus, error_message: str | None = None) -> Sweep:
        sweep = await self.get(sweep_id)
        if not sweep.status.over:
            now = self.clock.now()
            self.kept[sweep_id] = replace(sweep, status=status, error_message=error_message, completed_at=now)
        return self.kept[sweep_id]


def ranked(points: Iterable[SweepPoint], sort: str, *, descending: bool) -> list[SweepPoint]:
    """By a metric, or by "index"; among equals the lowest index first, points without the metric last."""
    if sort == "index":
        return sorted(points, key=lambda point: point.index, reverse=descending)

    def place(point: SweepPoint) -> tuple[bool, float, int]:
        figure = point.metrics.get(sort)
        return figure is None, 0.0 if figure is None else -figure if descending else figure, point.index

    return sorted(points, key=place)
