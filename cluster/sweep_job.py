"""`python -m cluster.sweep_job SWEEP_ID`: carries one stored sweep out, as the driver of a Ray job."""

import argparse
import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import ray

from cluster.wiring import Wiring, wiring
from omc.backtest.run import RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep
from omc.errors import Conflict, OmcError
from omc.feature.frame import Frame
from tune_jobs import sweep as tuning

logger = logging.getLogger("omc.sweep")
# A little less than a whole one, because the platform itself asks for a little of some.
_CPUS_PER_BATCH = 0.9


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--home", type=Path, required=True)
    options.add_argument("--ray", required=True, help="the cluster's address")
    options.add_argument("--died", action="store_true", help="only say that it died, if it is not over")
    options.add_argument("sweep_id", type=UUID)
    chosen = options.parse_args()
    logging.basicConfig(level=logging.WARNING)
    wired = wiring(home=chosen.home)
    if chosen.died:
        asyncio.run(wired.sweeps.finish(chosen.sweep_id, RunStatus.FAILED, "its driver died: resume it to go on"))
        return 1
    ray.init(address=chosen.ray, namespace="omc", log_to_driver=False, logging_level=logging.WARNING)
    scratch = Path(tempfile.mkdtemp(prefix="omc-sweep-"))
    _leave_at_once(scratch)
    try:
        return asyncio.run(carry_out(wired, chosen.sweep_id, scratch))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _leave_at_once(scratch: Path) -> None:
    """Told to stop, do not wait for a batch: what is stored is stored, and Ray ends the workers of a driver that is
    gone. The sweep's row stays as it is: cancelled, or to be resumed when the platform starts again."""

    def leave(number: int, _: object) -> None:
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(128 + number)

    # Ray has a handler of its own, which waits.
    signal.signal(signal.SIGTERM, leave)


async def carry_out(wired: Wiring, sweep_id: UUID, scratch: Path) -> int:
    """An exit code. What goes wrong stands in the sweep's own row."""
    try:
        sweep = await wired.sweeps.get(sweep_id)
        frame = await prices(wired, sweep)
        done = await tuning.run(
            sweep, frame, wired.sweeps, wired.terms, scratch=scratch, cpus_per_batch=_CPUS_PER_BATCH
        )
    except Conflict:
        # It was cancelled, or carried out, before we came.
        return 0
    except OmcError as fault:
        await wired.sweeps.finish(sweep_id, RunStatus.FAILED, str(fault))
        logger.warning("sweep %s failed: %s", sweep_id, fault)
        return 1
    return 0 if done.status in (RunStatus.COMPLETED, RunStatus.CANCELLED) else 1


async def prices(wired: Wiring, sweep: Sweep) -> Frame:
    """The sweep's window, and the rows before it that warm its points up."""
    spec = sweep.spec
    before = spec.start - timedelta(microseconds=1)
    warm_up = await wired.prices.tail(spec.coins, before, SearchSpace.of(sweep).needed_bars)
    return warm_up.followed_by(await wired.prices.read(spec.coins, spec.start, spec.end))


if __name__ == "__main__":
    sys.exit(main())
