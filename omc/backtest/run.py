"""A backtest that somebody asked for, and what came of it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from omc.access.quota import Quota, check_room
from omc.backtest.metrics import YEAR_S
from omc.clock import Clock
from omc.errors import Conflict, NotFound
from omc.promotion.trials import MemoryTries, Tally
from omc.strategy.trigger import Triggers

MOST_ATTEMPTS = 3
LOST = f"its worker was lost {MOST_ATTEMPTS} times while it ran: it is not tried again"


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)

    @property
    def tried(self) -> bool:
        """Whether it came to its end, well or badly: then it counts as a try."""
        return self in (RunStatus.COMPLETED, RunStatus.FAILED)


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
    slippage_bps: float = 0.0
    """How far beyond the quote every order is filled."""
    latency_bars: int = 0
    """Bars by which a decision reaches the market later than the next."""
    model: UUID | None = None
    """The fitted model that decides, for code that learns."""
    triggers: Triggers = ()
    """When its algorithm is asked: on every bar, without any."""


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
    """metrics: {name: number or null}; bar_s: seconds of a bar; trades: how many; monte_carlo: `MonteCarlo` by name, or
    null. Curves and trades themselves are in a CurveStore."""
    error_message: str | None
    execution_time_s: float | None
    created_at: datetime
    completed_at: datetime | None


def tally_of(results: Mapping[str, Any] | None) -> Tally:
    """The one try that a run with these results was; without results, or without a ratio in them, it still was one."""
    shown = results or {}
    metrics = shown.get("metrics", {})
    sharpe, bars, bar_s = metrics.get("sharpe"), metrics.get("bars"), shown.get("bar_s")
    if sharpe is None or bars is None or not bar_s:
        return Tally(1)
    return Tally.of([sharpe], bars - 1, YEAR_S / bar_s)


class BacktestStore(Protocol):
    async def create(self, run: BacktestRun, most: int | None = None) -> BacktestRun:
        """Conflict when it is there already; RateLimited when its owner has `most` others that are queued or running,
        and nothing is stored."""
        ...

    async def under_way(self, user_id: UUID) -> int:
        """How many of a user's runs are queued or running."""
        ...

    async def get(self, run_id: UUID, user_id: UUID) -> BacktestRun: ...

    async def page(
        self, user_id: UUID, algorithm_id: UUID, offset: int, limit: int
    ) -> tuple[list[BacktestRun], int]: ...

    async def delete(self, run_id: UUID, user_id: UUID) -> None: ...

    async def claim(self, stale_after_s: float, sparing: Collection[UUID] = ()) -> BacktestRun | None:
        """Take a queued run, or one that has been running longer than `stale_after_s` (its worker died): it is RUNNING
        from now on, and nobody else gets it.

        Of the users who wait, the one with the fewest runs under way comes first, among them the one who has waited
        longest since their run was asked for, or since one of theirs was taken; of a user's own runs the oldest.
        Nobody of `sparing` comes at all. A run whose worker died MOST_ATTEMPTS times has FAILED.
        """
        ...

    async def finish(
        self,
        run_id: UUID,
        status: RunStatus,
        *,
        results: Mapping[str, Any] | None = None,
        error_message: str | None = None,
        execution_time_s: float | None = None,
    ) -> None:
        """Close it, and count it as a try of its algorithm. A run that was deleted, or is over already, stays as it
        is."""
        ...


@dataclass(slots=True)
class MemoryBacktestStore:
    """A BacktestStore that lives and dies with the process."""

    clock: Clock
    kept: dict[UUID, BacktestRun] = field(default_factory=dict)
    tries: MemoryTries = field(default_factory=MemoryTries)
    _claimed_at: dict[UUID, datetime] = field(default_factory=dict)
    _attempts: dict[UUID, int] = field(default_factory=dict)

    async def create(self, run: BacktestRun, most: int | None = None) -> BacktestRun:
        if run.id in self.kept:
            raise Conflict(f"there is a backtest {run.id} already")
        check_room(Quota.BACKTESTS, self._under_way(run.user_id), most)
        self.kept[run.id] = run
        return run

    async def under_way(self, user_id: UUID) -> int:
        return self._under_way(user_id)

    def _under_way(self, user_id: UUID) -> int:
        return sum(run.user_id == user_id and not run.status.over for run in self.kept.values())

    async def get(self, run_id: UUID, user_id: UUID) -> BacktestRun:
        found = self.kept.get(run_id)
        if found is None or found.user_id != user_id:
            raise NotFound(f"there is no backtest {run_id}")
        return found

    async def page(self, user_id: UUID, algorithm_id: UUID, offset: int, limit: int) -> tuple[list[BacktestRun], int]:
        owned = [run for run in self.kept.values() if (run.user_id, run.algorithm_id) == (user_id, algorithm_id)]
        owned.sort(key=lambda run: run.created_at, reverse=True)
        return owned[offset : offset + limit], len(owned)

    async def delete(self, run_id: UUID, user_id: UUID) -> None:
        await self.get(run_id, user_id)
        del self.kept[run_id]

    async def claim(self, stale_after_s: float, sparing: Collection[UUID] = ()) -> BacktestRun | None:
        now = self.clock.now()
        running = [run for run in self.kept.values() if run.status is RunStatus.RUNNING]
        stale = now - timedelta(seconds=stale_after_s)
        lost = [run for run in running if self._claimed_at.get(run.id, run.created_at) < stale]
        under_way = Counter(run.user_id for run in running if run not in lost)
        for run in [run for run in lost if self._attempts[run.id] >= MOST_ATTEMPTS]:
            await self.finish(run.id, RunStatus.FAILED, error_message=LOST)
            lost.remove(run)
        served = {
            run.user_id: self._claimed_at[run.id]
            for run in sorted(self.kept.values(), key=lambda run: self._claimed_at.get(run.id, run.created_at))
            if run.id in self._claimed_at
        }

        def turn(run: BacktestRun) -> tuple[int, datetime, datetime, UUID]:
            since = max(run.created_at, served.get(run.user_id, run.created_at))
            return under_way[run.user_id], since, run.created_at, run.id

        waiting = [run for run in self.kept.values() if run.status is RunStatus.QUEUED] + lost
        first = min((run for run in waiting if run.user_id not in sparing), key=turn, default=None)
        if first is None:
            return None
        self._claimed_at[first.id] = now
        self._attempts[first.id] = self._attempts.get(first.id, 0) + 1
        self.kept[first.id] = replace(first, status=RunStatus.RUNNING)
        return self.kept[first.id]

    async def finish(
        self,
        run_id: UUID,
        status: RunStatus,
        *,
        results: Mapping[str, Any] | None = None,
        error_message: str | None = None,
        execution_time_s: float | None = None,
    ) -> None:
        run = self.kept.get(run_id)
        if run is not None and not run.status.over:
            if status.tried:
                self.tries.count(run.algorithm_id, run_id, tally_of(results))
            self.kept[run_id] = replace(
                run,
                status=status,
                progress=1.0 if status is RunStatus.COMPLETED else run.progress,
                results=results,
                error_message=error_message,
                execution_time_s=execution_time_s,
                completed_at=self.clock.now(),
            )
