"""Carries out queued backtests, one at a time, beside the requests that asked for them.

A run is a row before anything else happens, so a request that was cut short, a replica that died or a second replica
change nothing: whoever is there takes the oldest row that nobody works on.
"""

import asyncio
import contextlib
import logging
import time
from typing import Any

from omc.backtest.curves import History
from omc.backtest.record import history, results
from omc.backtest.run import BacktestSpec, RunStatus
from omc.backtest.study import study
from omc.errors import OmcError, Refused
from omc.feature.frame import Frame
from omc.market.terms import Terms
from omc.strategy.maker import Make
from serve_apps.lab.ports import LabPorts
from serve_apps.window import window_of

logger = logging.getLogger("omc.lab")

# A backtest takes seconds; one that has run for so long lost its worker.
_STALE_AFTER_S = 600.0
# A row may come from another replica's request, which cannot wake us.
_LOOK_EVERY_S = 1.0
_LONGEST_PAUSE_S = 30.0


class BacktestWorker:
    """Runs while its app does. Costs a thread and no request: a simulation lets go of the interpreter's lock."""

    def __init__(self, ports: LabPorts) -> None:
        self._ports = ports
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something new to do."""
        self._woken.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="backtests")

    async def stop(self) -> None:
        """What is under way is left to whoever takes it up as stale."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        pause_s = _LOOK_EVERY_S
        while True:
            try:
                while await self.take_one():
                    pass
                pause_s = _LOOK_EVERY_S
            except OmcError as fault:
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                logger.warning("backtests wait for %s s: %s", pause_s, fault)
            except Exception:
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                logger.exception("backtests wait for %s s", pause_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause_s)
            self._woken.clear()

    async def take_one(self) -> bool:
        """Carry out the oldest queued run; False when there is none. A run that its own input makes impossible has
        failed; a fault of ours leaves it for later."""
        run = await self._ports.backtests.claim(_STALE_AFTER_S)
        if run is None:
            return False
        began = time.perf_counter()
        try:
            version = await self._ports.algorithms.version(run.algorithm_id, run.user_id, run.algorithm_version)
            make = self._ports.maker.of(version.code)
            frame = await window_of(self._ports.archive, run.spec, make)
            figures, whole = await asyncio.to_thread(_carried_out, run.spec, frame, self._ports.terms, make)
        except Refused as refusal:
            await self._ports.backtests.finish(run.id, RunStatus.FAILED, error_message=str(refusal))
        except OmcError:
            raise
        except Exception:
            logger.exception("backtest %s failed", run.id)
            message = "it failed for a reason of ours; the log of the lab says more under its id"
            await self._ports.backtests.finish(run.id, RunStatus.FAILED, error_message=message)
        else:
            took_s = time.perf_counter() - began
            # The history first: whoever sees that it is completed can read it.
            await self._ports.curves.put(run.id, whole)
            await self._ports.backtests.finish(
                run.id, RunStatus.COMPLETED, results=figures, execution_time_s=round(took_s, 3)
            )
        return True


def _carried_out(spec: BacktestSpec, frame: Frame, terms: Terms, make: Make) -> tuple[dict[str, Any], History]:
    done = study(spec, frame, terms, make=make)
    return results(done), history(done)
