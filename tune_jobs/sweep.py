"""One sweep on Ray Tune: trials carry batches, prices travel once, and every batch is stored as it ends.

The store is the truth and Tune's folder is scratch: a sweep that is run again computes only what it has not stored, and
comes to the same results to the bit. It stops within a second of being closed in the store.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import ray
from ray import tune

from omc.backtest.ground import Ground
from omc.backtest.rounds import Board, Proposer
from omc.backtest.run import RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep, SweepStore
from omc.errors import Refused
from omc.feature.frame import Frame
from omc.market.terms import Terms
from omc.strategy import registry
from omc.strategy.maker import CUSTOM, Make
from tune_jobs.driver import CELLS_PER_S, CODE_CELLS_PER_S, Charge, Driver, nobody, nothing
from tune_jobs.trial import Closed, PointTrial, Progress, Rounds

LAB = "lab"
"""A resource of a cluster: how many batches may run at once, of all sweeps together. Without it, one a CPU."""
_RETRIES = 3


async def run(
    sweep: Sweep,
    frame: Frame,
    store: SweepStore,
    terms: Terms,
    *,
    scratch: Path,
    cpus_per_batch: float = 1.0,
    largest_batch: int | None = None,
    make: Make = registry.make,
    charge: Charge = nothing,
    broken_off: Callable[[], Awaitable[None]] = nobody,
) -> Sweep:
    """Carry out a stored sweep, or what is left of it, on the Ray cluster that this process is connected to.

    `scratch` is a folder for what Tune writes and nobody needs. `frame` holds the window of its spec and, where there
    are any, `SearchSpace.needed_bars` rows before it. Returned is the sweep as it ended: COMPLETED, CANCELLED by
    whoever closed it meanwhile, or FAILED with the reason. Conflict when it was over already. `charge` is told, a batch
    at a time, of the CPU seconds that were used, and may end it; `broken_off`, when batches ended in the middle.
    """
    await store.start(sweep.id)
    try:
        # People's code takes its time, and whoever cancels is to be heard meanwhile.
        space = await asyncio.to_thread(SearchSpace.of, sweep, make)
        needed_bars = await asyncio.to_thread(lambda: space.needed_bars)
        ground = Ground.of(sweep.spec, frame, terms)
        tests = sweep.tests(len(ground.window))
        proposer = await asyncio.to_thread(_proposer, space)
    except Refused as refusal:
        return await store.finish(sweep.id, RunStatus.FAILED, str(refusal))
    board = Board.of(sweep, space)
    board.remember(await store.tried(sweep.id), sweep.folds)
    resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
    driver = Driver(
        sweep=sweep,
        space=space,
        board=board,
        proposer=proposer,
        store=store,
        loop=asyncio.get_running_loop(),
        slots=max(1, int(resources.get(LAB, resources.get("CPU", 1)))),
        cells=[(stop - start) * len(ground.frame.coins) for start, stop in tests],
        largest_batch=largest_batch,
        charge=charge,
        cells_per_s=CODE_CELLS_PER_S if space.algorithm_type == CUSTOM else CELLS_PER_S,
    )
    budget = {"CPU": cpus_per_batch} | ({LAB: 1.0} if LAB in resources else {})
    try:
        await asyncio.to_thread(_tune, driver, ground, tests, needed_bars, budget, scratch)
    except Exception as fault:
        cause = driver.broken or fault
        why = str(cause) if isinstance(cause, Refused) else f"{type(cause).__name__}: {cause}"
        await store.finish(sweep.id, RunStatus.FAILED, why)
        raise cause from None
    finally:
        if proposer is not None:
            proposer.close()
        if driver.broke_off:
            await broken_off()
    ended = await store.get(sweep.id)
    if ended.done < space.points and driver.stopped:
        return await store.finish(sweep.id, RunStatus.FAILED, driver.stopped)
    if ended.done < space.points:
        why = f": {driver.faults[0]}" if driver.faults else ""
        # A sweep that was cancelled is over, and stays so.
        left = space.points - ended.done
        return await store.finish(sweep.id, RunStatus.FAILED, f"{left} of {space.points} points were not computed{why}")
    said = f"{len(board.failures)} points failed: {board.first_failure}" if board.failures else None
    return await store.finish(sweep.id, RunStatus.COMPLETED, said)


def _proposer(space: SearchSpace) -> Proposer | None:
    if space.method != "optuna":
        return None
    # Only a search that learns pays for it.
    from tune_jobs.learning import OptunaProposer

    return OptunaProposer(space)


def _tune(
    driver: Driver,
    ground: Ground,
    tests: list[tuple[int, int]],
    needed_bars: int,
    budget: dict[str, float],
    scratch: Path,
) -> None:
    """Run the batches as trials; blocks until all ended or the sweep was closed."""
    os.environ |= {
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_GLOBAL_CHECKPOINT_S": "86400",
        "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
        "TUNE_MAX_PENDING_TRIALS_PG": str(driver.slots),
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        "RAY_AIR_NEW_OUTPUT": "0",
    }
    # It reports to the store; its own remarks would tell of result files that nobody asked for.
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    with closing(driver.space.algorithms()) as algorithms:
        # They travel without the sandbox that told of them.
        work = tune.with_parameters(
            PointTrial, ground=ground, algorithms=algorithms, tests=tests, needed_bars=needed_bars
        )
    tune.Tuner(
        tune.with_resources(work, tune.PlacementGroupFactory([budget])),
        tune_config=tune.TuneConfig(
            search_alg=Rounds(driver),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name=str(driver.sweep.id),
            storage_path=str(scratch),
            stop=Closed(driver),
            callbacks=[Progress(driver)],
            failure_config=tune.FailureConfig(max_failures=_RETRIES),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    ).fit()
    driver.stored()


def _name(trial: Any) -> str:
    return str(trial.trial_id)
