"""A batch of a sweep's points, tried one after the other in one Ray task that share their indicators.

The task is where the memory goes, and it is retriable: Ray's memory monitor ends retriable workers first, and should
end the lab's before the floor's. The trial that waits for it holds next to nothing, so it imports nothing for it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ray

if TYPE_CHECKING:
    from omc.backtest.ground import Ground
    from omc.backtest.search_space import SearchSpace

Tried = tuple[int, tuple[float | None, ...], str | None]
"""Index, figures in the order of `metrics.METRICS` (none when it failed), and the reason why it failed."""

RETRIES = 3


def attempt(ground: "Ground", space: "SearchSpace", indices: Sequence[int]) -> list[Tried]:
    """Try the points of `indices`. One that raises fails alone."""
    from omc.errors import OmcError
    from omc.strategy.registry import make

    indicators = ground.indicators()
    tried: list[Tried] = []
    for index in indices:
        try:
            simulation = ground.simulate(make(space.algorithm_type, space.point(index)), indicators)
            tried.append((index, tuple(ground.measure(simulation).values()), None))
        except OmcError as refusal:
            tried.append((index, (), str(refusal)))
        except Exception as fault:
            # Whatever an algorithm raises is that point's own failure.
            tried.append((index, (), f"{type(fault).__name__}: {fault}"))
    return tried


def trial(
    config: dict[str, Any], work: "Sequence[ray.ObjectRef[Any]]", batches: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """What Ray Tune runs: hand batch number `config["batch"]` to a task in this trial's resources, and wait for it."""
    ground, space = work
    task = _attempt.options(num_cpus=config["cpus"], max_retries=RETRIES)
    return {"tried": ray.get(task.remote(ground, space, batches[config["batch"]]))}


_attempt = ray.remote(attempt)
