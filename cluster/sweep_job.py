"""`python -m cluster.sweep_job`: the driver of a Ray job that carries one stored sweep out, or stands by for any.

Everything that it needs is imported, and the cluster joined, before a sweep comes.
"""

import argparse
import asyncio
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import ray

from cluster.sweep_charge import SweepCharge
from cluster.wiring import Wiring, wiring
from omc.adapters.sandbox_process.sandboxes import end_all
from omc.backtest.run import RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep
from omc.errors import Conflict, NotFound, OmcError
from omc.feature.frame import Frame
from omc.strategy.maker import Make
from serve_apps.meter import Meter
from tune_jobs import sweep as tuning

logger = logging.getLogger("omc.sweep")
# A little less than a whole one, because the platform itself asks for a little of some.
_CPUS_PER_BATCH = 0.9
_LOOK_S, _WATCH_S, _PAUSE_S = 0.15, 0.3, 2.0
_FAREWELL_S = 2 * _WATCH_S
# A driver that has become larger than this makes room for a fresh one.
_LARGEST_KB = 600_000
DIED = "its driver died: resume it to go on"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--home", type=Path, required=True)
    options.add_argument("--ray", required=True, help="the cluster's address")
    options.add_argument("--driver", required=True, help="the name of this job")
    options.add_argument("--died", action="store_true", help="only say that it died")
    options.add_argument("sweep_id", type=UUID, nargs="?", help="carry out this one, and no other")
    chosen = options.parse_args()
    wired = wiring(home=chosen.home)
    wired.logs.install()
    if chosen.died:
        asyncio.run(wired.sweeps.abandon(chosen.driver, DIED))
        return 1
    ray.init(address=chosen.ray, namespace="omc", log_to_driver=False, logging_level=logging.WARNING)
    scratch = Path(tempfile.mkdtemp(prefix="omc-sweep-"))
    driver = SweepDriver(wired, chosen.driver, scratch)
    # Ray has a handler of its own, which waits.
    signal.signal(signal.SIGTERM, lambda number, _: driver.leave_soon(128 + number))
    try:
        asyncio.run(driver.stand_by() if chosen.sweep_id is None else driver.take(chosen.sweep_id))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


class SweepDriver:
    """Carries out sweeps, one at a time."""

    def __init__(self, wired: Wiring, name: str, scratch: Path) -> None:
        self._wired, self._name, self._scratch = wired, name, scratch
        self._busy: asyncio.AbstractEventLoop | None = None

    def leave_soon(self, code: int) -> None:
        """Leave; in the middle of a sweep only after as long as it takes to see that it was cancelled, and to pay."""
        if self._busy is None:
            self.leave(code)
        else:
            self._busy.call_soon_threadsafe(self._busy.call_later, _FAREWELL_S, self.leave, code)

    def leave(self, code: int) -> None:
        """Do not wait for a batch: what is stored is stored, and Ray ends the workers of a driver that is gone. The
        sweep's row stays as it is: cancelled, or to be resumed when the platform starts again."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        os._exit(code)

    async def stand_by(self) -> None:
        """Carry out whatever waits."""
        await self._patiently_abandon()
        while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < _LARGEST_KB:
            try:
                sweep = await self._wired.sweeps.claim(self._name)
            except OmcError as fault:
                logger.warning("sweeps wait: %s", fault)
                await asyncio.sleep(_PAUSE_S)
                continue
            if sweep is None:
                await asyncio.sleep(_LOOK_S)
            else:
                await self._carry_out(sweep)

    async def _patiently_abandon(self) -> None:
        """What a former driver of this name left behind has failed."""
        while True:
            try:
                return await self._wired.sweeps.abandon(self._name, DIED)
            except OmcError as fault:
                logger.warning("sweeps wait: %s", fault)
                await asyncio.sleep(_PAUSE_S)

    async def take(self, sweep_id: UUID) -> None:
        """Carry out this one, unless it was cancelled, or somebody else took it, before we came."""
        sweep = await self._wired.sweeps.claim(self._name, sweep_id)
        if sweep is not None:
            await self._carry_out(sweep)

    async def _carry_out(self, sweep: Sweep) -> None:
        """What goes wrong stands in the sweep's own row, as long as it has one."""
        store = self._wired.sweeps
        wired = self._wired
        charge = SweepCharge(sweep, wired.usage, wired.allowance, wired.clock)
        watching = asyncio.create_task(self._watch(sweep.id, charge))
        self._busy = asyncio.get_running_loop()
        meter = Meter(wired.lab_maker)
        try:
            used_up = await charge(0.0)
            if used_up is not None:
                await self._failed(sweep, used_up)
                return
            version = await self._wired.algorithms.version(sweep.algorithm_id, sweep.user_id, sweep.algorithm_version)
            make = meter.maker.of(version.code)
            frame = await prices(self._wired, sweep, make)
            await tuning.run(
                sweep,
                frame,
                store,
                self._wired.terms,
                scratch=self._scratch,
                cpus_per_batch=_CPUS_PER_BATCH,
                make=make,
                charge=charge,
                broken_off=charge.broken_off,
            )
        except Conflict:
            logger.info("sweep %s was over before it began", sweep.id)
        except OmcError as fault:
            await self._failed(sweep, str(fault))
            logger.warning("sweep %s failed: %s", sweep.id, fault)
        except Exception as fault:
            # Its row says why already, unless it was another's fault; the next sweep is not to suffer for it.
            await self._failed(sweep, f"{type(fault).__name__}: {fault}")
            logger.exception("sweep %s failed", sweep.id)
        finally:
            watching.cancel()
            self._busy = None
            # What was asked here, before and between the batches.
            await charge(meter.cpu_s)
            await asyncio.to_thread(end_all)

    async def _failed(self, sweep: Sweep, why: str) -> None:
        """Say so in its row. Whoever deletes an algorithm deletes its sweeps, and then nobody asks."""
        with suppress(NotFound):
            await self._wired.sweeps.finish(sweep.id, RunStatus.FAILED, why)

    async def _watch(self, sweep_id: UUID, charge: SweepCharge) -> None:
        """Somebody who cancels a sweep, or deletes it, wants its processors now."""
        while True:
            await asyncio.sleep(_WATCH_S)
            with suppress(OmcError):
                if await self._unwanted(sweep_id):
                    await charge.broken_off()
                    self.leave(0)

    async def _unwanted(self, sweep_id: UUID) -> bool:
        try:
            return (await self._wired.sweeps.get(sweep_id)).status is RunStatus.CANCELLED
        except NotFound:
            return True


async def prices(wired: Wiring, sweep: Sweep, make: Make) -> Frame:
    """The sweep's window, and the rows before it that warm its points up."""
    spec = sweep.spec
    before = spec.start - timedelta(microseconds=1)
    needed_bars = await asyncio.to_thread(lambda: SearchSpace.of(sweep, make).needed_bars)
    warm_up = await wired.prices.tail(spec.coins, before, needed_bars)
    return warm_up.followed_by(await wired.prices.read(spec.coins, spec.start, spec.end))


if __name__ == "__main__":
    sys.exit(main())
