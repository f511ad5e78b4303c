"""A backtest that somebody asked for, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class BacktestSpec:
    """What to simulate. `start` and `end` bound the bars that may be traded; earlier ones only warm up."""

    algorithm_type: str
    parameters: Mapping[str, Any]
    coins: tuple[str, ...]
    start: datetime
    end: datetime
    initial_cash_aud: Decimal
    rebalance_band: float


@dataclass(frozen=True, slots=True)
class BacktestRun:
    id: UUID
    user_id: UUID
    algorithm_id: UUID
    algorithm_version: int
    spec: BacktestSpec
    status: RunStatus
    progress: float
    results: Mapping[str, Any] | None
    """metrics: {name: number or null}; trades: [[time, coin, side, quantity, price_aud, total_aud, fee_aud]] with money
    as strings; equity: {times: [RFC 3339], aud: [number]}, thinned to at most 2,000 points."""
    error_message: str | None
    execution_time_s: float | None
    created_at: datetime
    completed_at: datetime | None


class BacktestStore(Protocol):
    async def create(self, run: BacktestRun) -> BacktestRun: ...

    async def get(self, run_id: UUID, user_id: UUID) -> BacktestRun: ...

    async def page(
        self, user_id: UUID, algorithm_id: UUID, offset: int, limit: int
    ) -> tuple[list[BacktestRun], int]: ...

    async def delete(self, run_id: UUID, user_id: UUID) -> None: ...

    async def claim(self, stale_after_s: float) -> BacktestRun | None:
        """Take the oldest queued run, or one that has been running longer than `stale_after_s` (its worker died):
        it is RUNNING from now on, and nobody else gets it."""
        ...

    async def finish(
        self,
        run_id: UUID,
        status: RunStatus,
        *,
        results: Mapping[str, Any] | None = None,
        error_message: str | None = None,
        execution_time_s: float | None = None,
    ) -> None: ...
