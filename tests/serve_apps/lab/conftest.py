"""The lab over twins; its worker is run by hand, so that nothing happens behind a test's back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from omc.access.usage import MemoryUsageLedger
from omc.adapters import parquet
from omc.adapters.arrow import ArrowWriter
from omc.backtest.curves import MemoryCurveStore
from omc.backtest.run import MemoryBacktestStore
from omc.backtest.sweep import MemorySweepStore
from omc.errors import Unavailable
from omc.market.terms import Terms
from omc.promotion.gate import Standard, StrictStandard, Thresholds
from omc.promotion.trials import MemoryTries
from omc.strategy.algorithm import MemoryAlgorithmStore
from serve_apps.lab.app import PREFIX, build
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.worker import BacktestWorker


@dataclass
class MemoryRunner:
    """A SweepRunner that remembers what it was told."""

    submitted: list[UUID] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    reachable: bool = True

    async def submit(self, sweep_id: UUID) -> None:
        if not self.reachable:
            raise Unavailable("the cluster takes no jobs")
        self.submitted.append(sweep_id)

    async def cancel(self, sweep_id: UUID) -> None:
        self.cancelled.append(sweep_id)


@pytest.fixture
def ports(signer, archive, clock) -> LabPorts:
    tries = MemoryTries()
    return LabPorts(
        algorithms=MemoryAlgorithmStore(clock),
        backtests=MemoryBacktestStore(clock, tries=tries),
        curves=MemoryCurveStore(),
        arrow=ArrowWriter,
        parquet=parquet.encode,
        sweeps=MemorySweepStore(clock, tries=tries),
        tries=tries,
        usage=MemoryUsageLedger(),
        runner=MemoryRunner(),
        archive=archive,
        signer=signer,
        clock=clock,
        terms=Terms(),
        thresholds=Thresholds(Standard(5, -1_000.0, 0.9), StrictStandard(min_trades=10, max_drawdown=0.5)),
    )


@pytest.fixture
def worker(ports: LabPorts) -> BacktestWorker:
    return BacktestWorker(ports)


@pytest.fixture
def app(ports: LabPorts):
    return build(ports)


@pytest.fixture
def caller(app, calling):
    return calling(app, PREFIX)


@pytest.fixture
def other(app, calling):
    """Somebody else."""
    return calling(app, PREFIX)


@pytest.fixture
def creating(caller) -> Callable[..., Awaitable[dict]]:
    """`await creating(…)` makes an algorithm of the caller's; what is named replaces what is asked for."""

    async def create(**change: object) -> dict:
        body = {
            "name": "Trend",
            "algorithm_type": "moving_average_crossover",
            "parameters": {"fast_bars": 4, "slow_bars": 12},
            **change,
        }
        answer = await caller.post("/algorithms", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    return create


@pytest.fixture
def window() -> dict[str, object]:
    """What a backtest of the stored history asks for."""
    return {
        "start_date": "2025-06-09",
        "end_date": "2025-06-10",
        "coins": ["BTC", "ETH"],
        "initial_cash": "10000",
    }


@pytest.fixture
def testing(caller, worker, window) -> Callable[..., Awaitable[dict]]:
    """`await testing(algorithm, …)` runs a backtest to its end."""

    async def test(algorithm: dict, **change: object) -> dict:
        asked = await caller.post(f"/algorithms/{algorithm['id']}/backtest", {**window, **change})
        assert asked.status_code == 202, asked.text
        assert await worker.take_one()
        return (await caller.get(f"/backtests/{asked.json()['data']['id']}")).json()["data"]

    return test
