"""Carries out queued backtests, a few at a time, beside the requests that asked for them.

A run is a row before anything else happens, so a request that was cut short, a replica that died or a second replica
change nothing: whoever is there takes the next row that nobody works on. Users take turns, and nobody gets the last
lane while they have another: code that takes as long as it may holds up its owner's runs, and few others'.
"""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from omc.backtest.curves import History
from omc.backtest.record import history, results
from omc.backtest.run import BacktestRun, BacktestSpec, RunStatus
from omc.backtest.study import study
from omc.errors import NotFound, OmcError, Refused
from omc.feature.frame import Frame
from omc.ledger.catalyst import Catalyst
from omc.market.terms import Terms
from omc.strategy.maker import Make
from serve_apps.lab.fitted import make_for
from serve_apps.lab.ports import LabPorts
from serve_apps.meter import Meter
from serve_apps.metering import charge
from serve_apps.window import events_of, window_of

logger = logging.getLogger("omc.lab")

# Code has a deadline for each of the few things that a backtest asks of it, some minutes together; the rest takes
# seconds. One that has run for so long lost its worker.
_STALE_AFTER_S = 600.0
# A row may come from another replica's request, which cannot wake us.
_LOOK_EVERY_S = 1.0
_LONGEST_PAUSE_S = 30.0
# Two even on one core: what waits for code that sleeps takes nothing from the other.
_FEWEST_LANES, _MOST_LANES = 2, 4
_NICE = 15


def lanes_of(cores: int) -> int:
    """How many backtests run at once: sweeps and requests have work for the cores, too."""
    return max(_FEWEST_LANES, min(_MOST_LANES, cores // 2))


def _give_way() -> None:
    """Whatever trades, or answers somebody, goes first. Elsewhere a process has one priority for all of its threads."""
    if sys.platform == "linux":
        os.nice(_NICE)


class BacktestWorker:
    """Runs while its app does. Costs a thread a lane and no request: a simulation lets go of the interpreter's lock."""

    def __init__(self, ports: LabPorts, lanes: int | None = None) -> None:
        self._ports = ports
        self._lanes = lanes_of(os.cpu_count() or 1) if lanes is None else lanes
        self._threads = ThreadPoolExecutor(self._lanes, "backtests", _give_way)
        self._carrying: Counter[UUID] = Counter()
        self._claiming = asyncio.Lock()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def wake(self) -> None:
        """There is something new to do."""
        self._woken.set()

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work(), name=f"backtests {lane}") for lane in range(self._lanes)]

    async def stop(self) -> None:
        """What is under way is left to whoever takes it up as stale."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._threads.shutdown(wait=False)

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
                # `wait_for` would take an event that comes together with the end for a reason to go on.
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()
            self._woken.clear()

    async def take_one(self) -> bool:
        """Carry out the run whose turn it is; False when there is none. A run that its own input makes impossible has
        failed; a fault of ours leaves it for later. What it computed is charged to its owner, however it ends."""
        async with self._next() as run:
            if run is None:
                return False
            meter, began_s = Meter(self._ports.maker), time.perf_counter()
            end: dict[str, Any]
            try:
                figures, whole = await self._carry_out(run, meter)
            except _Gone as gone:
                end = {"status": RunStatus.CANCELLED, "error_message": str(gone)}
            except Refused as refusal:
                end = {"status": RunStatus.FAILED, "error_message": str(refusal)}
            except OmcError:
                raise
            except Exception:
                logger.exception("backtest %s failed", run.id)
                message = "it failed for a reason of ours; the log of the lab says more under its id"
                end = {"status": RunStatus.FAILED, "error_message": message}
            else:
                took_s = round(time.perf_counter() - began_s, 3)
                end = {"status": RunStatus.COMPLETED, "results": figures, "execution_time_s": took_s}
                # The history first: whoever sees that it is completed can read it.
                await self._ports.curves.put(run.id, whole)
            finally:
                await charge(self._ports, run.user_id, meter)
            await self._ports.backtests.finish(run.id, **end)
        return True

    @asynccontextmanager
    async def _next(self) -> AsyncIterator[BacktestRun | None]:
        """A run that is ours while the block lasts, of nobody who has all lanes but one already: also when they have
        deleted what is carried out there."""
        async with self._claiming:
            most = max(1, self._lanes - 1)
            sparing = [user_id for user_id, lanes in self._carrying.items() if lanes >= most]
            run = await self._ports.backtests.claim(_STALE_AFTER_S, sparing)
            if run is not None:
                self._carrying[run.user_id] += 1
        try:
            yield run
        finally:
            if run is not None:
                self._carrying[run.user_id] -= 1
                self._carrying += Counter()
                # Somebody may have been spared.
                self.wake()

    async def _carry_out(self, run: BacktestRun, meter: Meter) -> tuple[dict[str, Any], History]:
        try:
            version = await self._ports.algorithms.version(run.algorithm_id, run.user_id, run.algorithm_version)
        except NotFound as gone:
            raise _Gone(f"what it was to test is gone: {gone}") from None
        make = await make_for(self._ports.models, meter.maker, run.user_id, version.code, run.spec)
        frame = await window_of(self._ports.archive, run.spec, make)
        events = await events_of(self._ports.catalysts, run.spec, frame)
        return await meter.run(_figures, run.spec, frame, self._ports.terms, make, events, within=self._threads)


class _Gone(Exception):
    """Nobody wants it any more."""


def _figures(
    spec: BacktestSpec, frame: Frame, terms: Terms, make: Make, events: tuple[Catalyst, ...]
) -> tuple[dict[str, Any], History]:
    done = study(spec, frame, terms, make=make, events=events)
    return results(done), history(done)
