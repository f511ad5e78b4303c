"""A sweep is paid for as it goes, and stops when its owner has used up the day."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from cluster.sweep_charge import SweepCharge
from omc.access.quota import Allowance
from omc.access.usage import MemoryUsageLedger
from omc.backtest.run import BacktestSpec, RunStatus
from omc.backtest.sweep import Sweep
from omc.clock import ManualClock
from omc.errors import NotFound, Unavailable

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
SWEEP = Sweep(
    id=uuid4(),
    user_id=uuid4(),
    algorithm_id=uuid4(),
    algorithm_version=1,
    spec=BacktestSpec("macd", {}, ("BTC",), NOON, NOON + timedelta(days=1), Decimal(1), 0.02),
    space={},
    method="grid",
    points=1,
    seed=0,
    objective="sharpe",
    status=RunStatus.RUNNING,
    done=0,
    best=None,
    error_message=None,
    created_at=NOON,
    started_at=NOON,
    completed_at=None,
)


@dataclass
class Ledger(MemoryUsageLedger):
    """One that may be away."""

    fault: Exception | None = field(default=None)

    async def charge(self, user_id, cpu_s, at):
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        return await MemoryUsageLedger.charge(self, user_id, cpu_s, at)

    def total(self):
        return sum(self.kept.values())


@pytest.fixture
def clock():
    return ManualClock(NOON)


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def charge(ledger, clock):
    return SweepCharge(SWEEP, ledger, Allowance(cpu_s=10.0), clock)


async def test_it_goes_on_until_the_day_is_used_up_and_says_how_to_go_on(charge, clock):
    assert [await charge(3.0) for _ in range(3)] == [None, None, None]
    said = await charge(3.0)
    assert "you have used 12 of your 10 CPU seconds of 2025-03-01" in said
    assert said.endswith("resume it then, and it goes on where it stopped")
    clock.advance(timedelta(hours=12))
    assert await charge(3.0) is None


async def test_what_others_of_the_same_user_have_used_counts(charge, ledger):
    await ledger.charge(SWEEP.user_id, 10.0, NOON)
    assert await charge(0.0) is not None


async def test_while_the_ledger_is_away_it_goes_on_and_owes(charge, ledger):
    ledger.fault = Unavailable("the database does not answer")
    assert [await charge(2.0) for _ in range(4)] == [None] * 4
    ledger.fault = None
    assert await charge(1.0) is None
    assert ledger.total() == 9.0


async def test_many_batches_that_end_at_once_are_all_paid_for(charge, ledger):
    await asyncio.gather(*(charge(0.5) for _ in range(9)))
    assert ledger.total() == 4.5


async def test_a_sweep_whose_owner_is_gone_ends(charge, ledger):
    ledger.fault = NotFound("there is no user")
    assert await charge(1.0) == "it belongs to nobody: there is no user"


async def test_what_is_broken_off_is_paid_for_as_far_as_it_can_be_known(charge, ledger, monkeypatch):
    await charge(1.0)
    now = charge._told_at
    monkeypatch.setattr("cluster.sweep_charge.time.monotonic", lambda: now + 7.0)
    await charge.broken_off()
    assert ledger.total() == pytest.approx(8.0)
    monkeypatch.setattr("cluster.sweep_charge.time.monotonic", lambda: now + 700.0)
    await charge.broken_off()
    assert ledger.total() == pytest.approx(68.0)
