"""A search over an algorithm's parameters, and every point that it tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from omc.backtest.run import BacktestSpec, RunStatus


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
