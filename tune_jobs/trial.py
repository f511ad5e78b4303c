"""What Ray Tune sees of a sweep: a trial is a batch of points, and the search hands batches out round by round."""

import os
import time
from collections.abc import Sequence
from typing import Any

from ray import tune
from ray.tune.search import Searcher

from omc.backtest.algorithms import Algorithms
from omc.backtest.ground import Ground
from tune_jobs.batch import Batch, Desk
from tune_jobs.driver import Driver

_TRIED, _LEFT, _TOOK_S, _CPU_S = "tried", "left", "took_s", "cpu_s"


class PointTrial(tune.Trainable):
    """A worker: its actor is used again for one batch after the other, and keeps its desk."""

    def setup(  # type: ignore[override]
        self,
        config: dict[str, Any],
        *,
        ground: Ground,
        algorithms: Algorithms,
        tests: Sequence[tuple[int, int]],
        needed_bars: int,
    ) -> None:
        # Whatever trades, or answers somebody, goes first.
        os.nice(19)
        self._desk = Desk(ground, algorithms, tests, needed_bars)
        algorithms.get_ready()
        self._batch: Batch = config["batch"]
        # Of this process and of its sandbox, so far. That it was started is not for the sweep to pay.
        self._used_s = time.process_time()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._batch = new_config["batch"]
        return True

    def step(self) -> dict[str, Any]:
        began = time.monotonic()
        tried = self._desk.attempt(self._batch)
        left = set(self._batch.indices.tolist()) - set(tried.indices.tolist())
        used_s, self._used_s = self._used_s, time.process_time() + self._desk.cpu_s
        return {
            _TRIED: tried,
            _LEFT: self._batch.only(left) if left else None,
            _TOOK_S: time.monotonic() - began,
            _CPU_S: self._used_s - used_s,
            "done": True,
        }

    def cleanup(self) -> None:
        self._desk.close()


class _Driven:
    """Tune pickles what it is given into its folder; those copies are never used, and go without the driver."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __getstate__(self) -> dict[str, Any]:
        return {}


class Rounds(_Driven, Searcher):
    """Batches of the round that is on; the next round begins when all of them were told."""

    def __init__(self, driver: Driver) -> None:
        _Driven.__init__(self, driver)
        Searcher.__init__(self)

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **_: Any) -> bool:
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        batch = self._driver.next_batch()
        if self._driver.over:
            finished: Any = Searcher.FINISHED
            return finished
        return None if batch is None else {"batch": batch}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        self._driver.ended()

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the store knows."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the store knows."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the store knows."""


class Progress(_Driven, tune.Callback):
    """Keeps what a trial tried as soon as it ends, and lets Tune forget it."""

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        if _TRIED in result:
            self._driver.keep(result.pop(_TRIED), result[_TOOK_S], result[_CPU_S])
            left = result.pop(_LEFT)
            if left is not None:
                self._driver.take_back(left)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        self._driver.faults.append(f"the worker of {trial.config['batch']} died again and again")


class Closed(_Driven, tune.Stopper):
    """Stops every trial once the sweep is over in the store."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._driver.closed()
