"""A driver that is told to stop leaves, at once or after a moment in the middle of a sweep; a sweep that is deleted
under it ends nothing else."""

import asyncio
import os
import signal
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from cluster.sweep_charge import SweepCharge
from cluster.sweep_job import SweepDriver
from omc.access.quota import Allowance
from omc.access.usage import MemoryUsageLedger
from omc.backtest.run import RunStatus
from omc.backtest.sweep import MemorySweepStore
from omc.clock import ManualClock
from omc.errors import InvalidInput
from omc.market.terms import Terms
from omc.strategy.maker import Maker
from tests.cluster.test_sweep_charge import NOON, SWEEP
from tests.tune_jobs.test_sweep import market


class Staying(SweepDriver):
    """One that only says that it would leave."""

    def __init__(self, wired=None):
        super().__init__(wired, "mine", None)
        self.codes, self.left = [], asyncio.Event()

    def leave(self, code):
        self.codes.append(code)
        self.left.set()


async def test_a_driver_that_stands_by_leaves_at_once():
    driver = Staying()
    driver.leave_soon(143)
    assert driver.codes == [143]


async def test_a_driver_in_the_middle_of_a_sweep_looks_once_more_whether_it_was_cancelled():
    driver = Staying()
    driver._busy = asyncio.get_running_loop()
    before = signal.signal(signal.SIGTERM, lambda number, _: driver.leave_soon(128 + number))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        assert driver.codes == []
        await driver.left.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert driver.codes == [143]


@dataclass
class Vanishing:
    """The platform around a sweep that is deleted, with its algorithm, while its prices are read."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    usage: MemoryUsageLedger = field(default_factory=MemoryUsageLedger)
    allowance: Allowance = field(default_factory=Allowance)
    maker: Maker = field(default_factory=Maker)
    lab_maker: Maker = field(default_factory=Maker)
    terms: Terms = field(default_factory=Terms)
    fault: Exception | None = None

    def __post_init__(self):
        self.sweeps = MemorySweepStore(self.clock)

    @property
    def algorithms(self):
        return self

    @property
    def prices(self):
        return self

    async def version(self, algorithm_id, user_id, version):
        return SimpleNamespace(code=None)

    async def tail(self, coins, before, bars):
        return market(10).rows(0, 0)

    async def read(self, coins, start, end):
        self.sweeps.kept.clear()
        if self.fault is not None:
            raise self.fault
        return market(10)


@pytest.mark.parametrize("fault", [None, InvalidInput("no such coin"), RuntimeError("broken")])
async def test_a_sweep_that_is_deleted_under_its_driver_does_not_end_it(fault):
    wired = Vanishing(fault=fault)
    await wired.sweeps.create(replace(SWEEP, status=RunStatus.QUEUED, space={"fast_bars": [3, 5]}))
    await Staying(wired).take(SWEEP.id)
    assert wired.sweeps.kept == {}


async def test_a_sweep_that_is_deleted_gives_its_processors_back_and_is_paid_for():
    wired = Vanishing()
    driver, charge = Staying(wired), SweepCharge(SWEEP, wired.usage, wired.allowance, wired.clock)
    charge._told_at -= 7.0
    watching = asyncio.create_task(driver._watch(SWEEP.id, charge))
    await driver.left.wait()
    watching.cancel()
    assert driver.codes[0] == 0
    assert sum(wired.usage.kept.values()) >= 7.0
