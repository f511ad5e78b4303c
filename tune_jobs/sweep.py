"""One sweep on Ray Tune: trials carry batches, prices travel once, and every batch is stored as it ends.

The store is the truth and Tune's folder is scratch: a sweep that is run again computes only the points that it has
not stored. It stops within a second or two of being closed in the store.
"""

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeVar
from uuid import UUID

import ray
from ray import tune

from omc.backtest.ground import Ground
from omc.backtest.metrics import METRICS
from omc.backtest.run import RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep, SweepPoint, SweepStore
from omc.errors import InvalidInput, Unavailable
from omc.feature.frame import Frame
from omc.market.terms import Terms
from tune_jobs.batch import RETRIES, Tried, trial

logger = logging.getLogger(__name__)

# A batch of this many bars times coins times points is about a second of work: long beside what Tune adds to a trial,
# short beside anybody's patience. One of a tenth is not worth another process.
_BATCH_CELLS = 60_000_000
_LARGEST_BATCH = 500
_ROUNDS = 3
_POLL_S = 0.5
_STORE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
Answer = TypeVar("Answer")


async def run(
    sweep: Sweep,
    frame: Frame,
    store: SweepStore,
    terms: Terms,
    *,
    cpus_per_batch: float = 1.0,
    largest_batch: int = _LARGEST_BATCH,
) -> Sweep:
    """Carry out a stored sweep, or what is left of it, on the Ray cluster that this process is connected to.

    `frame` holds the window of its spec and, where there are any, `SearchSpace.needed_bars` rows before it. Returned is
    the sweep as it ended: COMPLETED, CANCELLED by whoever closed it meanwhile, or FAILED with the reason. Conflict when
    it was over already.
    """
    await store.start(sweep.id)
    try:
        space = SearchSpace.of(sweep)
        ground = Ground.of(sweep.spec, frame, terms)
    except InvalidInput as refusal:
        return await store.finish(sweep.id, RunStatus.FAILED, str(refusal))
    done = await store.indices(sweep.id)
    todo = [index for index in range(space.points) if index not in done]
    driver = _Driver(sweep.id, space, store, asyncio.get_running_loop())
    try:
        if todo:
            await asyncio.to_thread(_tune, driver, ground, _batches(todo, ground, largest_batch), cpus_per_batch)
    except Exception as fault:
        await store.finish(sweep.id, RunStatus.FAILED, f"{type(fault).__name__}: {fault}")
        raise
    left = space.points - len(await store.indices(sweep.id))
    if left:
        why = f": {driver.faults[0]}" if driver.faults else ""
        # A sweep that was cancelled is over, and stays so.
        return await store.finish(sweep.id, RunStatus.FAILED, f"{left} of {space.points} points were not computed{why}")
    failed = f"{driver.failed} points failed: {driver.reason}" if driver.failed else None
    return await store.finish(sweep.id, RunStatus.COMPLETED, failed)


def _batches(todo: Sequence[int], ground: Ground, largest: int) -> list[Sequence[int]]:
    """`todo` cut into batches: where there is enough to do, several for each CPU, so that none waits for the last."""
    most = _BATCH_CELLS / max(1, ground.frame.last.size)
    cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))  # type: ignore[no-untyped-call]
    fair = ceil(len(todo) / (_ROUNDS * cpus))
    size = max(1, min(largest, ceil(most), max(fair, ceil(most / 10))))
    return [todo[start : start + size] for start in range(0, len(todo), size)]


def _tune(driver: "_Driver", ground: Ground, batches: list[Sequence[int]], cpus_per_batch: float) -> None:
    """Run the batches as trials; blocks until all ended or the sweep was closed."""
    os.environ |= {
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_GLOBAL_CHECKPOINT_S": "3600",
        "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        "RAY_AIR_NEW_OUTPUT": "0",
    }
    # It reports to the store; its own remarks would tell of result files that nobody asked for.
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    work = [ray.put(ground), ray.put(driver.space)]
    # The trial itself only waits: its task gets the CPU, from the same placement group.
    resources = tune.PlacementGroupFactory([{}, {"CPU": cpus_per_batch}])
    with tempfile.TemporaryDirectory(prefix="omc-sweep-") as scratch:
        tune.Tuner(
            tune.with_resources(tune.with_parameters(trial, work=work, batches=batches), resources),
            param_space={"batch": tune.grid_search(list(range(len(batches)))), "cpus": cpus_per_batch},
            tune_config=tune.TuneConfig(reuse_actors=True),
            run_config=tune.RunConfig(
                name=str(driver.sweep_id),
                storage_path=scratch,
                stop=_Closed(driver),
                callbacks=[_Progress(driver)],
                failure_config=tune.FailureConfig(max_failures=RETRIES),
                verbose=0,
            ),
        ).fit()


@dataclass(slots=True)
class _Driver:
    """Tune's thread asks the store through it, on the loop that the store lives on."""

    sweep_id: UUID
    space: SearchSpace
    store: SweepStore
    loop: asyncio.AbstractEventLoop
    failed: int = 0
    reason: str = ""
    faults: list[str] = field(default_factory=list)
    _closed: bool = False
    _asked_at: float = 0.0

    def keep(self, tried: Sequence[Tried]) -> None:
        points = [
            SweepPoint(
                index=index,
                parameters=self.space.point(index),
                metrics=dict(zip(METRICS, figures, strict=True)) if error is None else dict.fromkeys(METRICS),
                error=error,
            )
            for index, figures, error in tried
        ]
        errors = [point.error for point in points if point.error is not None]
        self.failed += len(errors)
        self.reason = self.reason or next(iter(errors), "")
        self._ask(lambda: self.store.add(self.sweep_id, points))

    def closed(self) -> bool:
        """Whether somebody closed the sweep; asked of the store now and then."""
        if not self._closed and time.monotonic() - self._asked_at > _POLL_S:
            self._closed = self._ask(lambda: self.store.get(self.sweep_id)).status.over
            self._asked_at = time.monotonic()
        return self._closed

    def _ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """The store's answer; while it is away for a moment, the sweep waits for it."""
        for pause_s in _STORE_PAUSES_S:
            try:
                return asyncio.run_coroutine_threadsafe(_awaited(question), self.loop).result()
            except Unavailable as fault:
                logger.warning("the store of sweeps is away", extra={"fault": str(fault)})
                time.sleep(pause_s)
        return asyncio.run_coroutine_threadsafe(_awaited(question), self.loop).result()


async def _awaited(question: Callable[[], Awaitable[Answer]]) -> Answer:
    return await question()


class _Driven:
    """Tune pickles what it is given into its folder; those copies are never used, and go without the driver."""

    def __init__(self, driver: _Driver) -> None:
        self._driver = driver

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _Progress(_Driven, tune.Callback):
    """Stores what a trial tried as soon as it ends."""

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        if "tried" in result:
            self._driver.keep(result["tried"])

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        self._driver.faults.append(f"batch {trial.config['batch']} died {RETRIES + 1} times")


class _Closed(_Driven, tune.Stopper):
    """Stops every trial once the sweep is over in the store."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._driver.closed()
