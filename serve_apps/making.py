"""Algorithms made and asked away from the event loop: people's own code takes its time."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, TypeVar

from omc.strategy.algorithm import Algorithm
from omc.strategy.maker import Make

Answer = TypeVar("Answer")


async def asked(
    make: Make, algorithm_type: str, parameters: Mapping[str, Any], ask: Callable[[Algorithm], Answer]
) -> Answer:
    """What `ask` finds out about an algorithm, which ends with it. What making it refuses is refused here, too."""
    return await asyncio.to_thread(_asked, make, algorithm_type, parameters, ask)


async def whole_parameters(make: Make, algorithm_type: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters` with the defaults of those not named. InvalidInput when they contradict each other as well."""
    return await asked(make, algorithm_type, parameters, _whole)


def _whole(algorithm: Algorithm) -> dict[str, Any]:
    algorithm.check_together()
    return algorithm.get_params()


def _asked(
    make: Make, algorithm_type: str, parameters: Mapping[str, Any], ask: Callable[[Algorithm], Answer]
) -> Answer:
    with closing(make(algorithm_type, parameters)) as algorithm:
        return ask(algorithm)
