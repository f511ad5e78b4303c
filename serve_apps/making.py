"""Algorithms made and asked away from the event loop: people's own code takes its time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from contextvars import ContextVar
from functools import partial
from math import isfinite
from typing import Any, TypeVar

from omc.errors import InvalidInput
from omc.strategy.algorithm import Algorithm
from omc.strategy.maker import CUSTOM, Make

Answer = TypeVar("Answer")
# Their own: code that does not answer before its deadline keeps nobody waiting but those who ask code themselves.
_threads = ThreadPoolExecutor(4, "algorithms")
_at_once = ThreadPoolExecutor(2, "built-in")
"""What ships with the platform answers without anybody's code, and waits for none."""
_LARGEST, _LONGEST, _MOST = 2**53, 1_000, 100


ran_s: ContextVar[list[float] | None] = ContextVar("ran_s", default=None)
"""Where the processor time, in seconds, of each piece of work that is done apart is put down, if anybody asks."""


async def apart(work: Callable[..., Answer], *arguments: Any, within: Executor | None = None, **named: Any) -> Answer:
    """What `work` comes to in one of the few threads in which algorithms are asked, or a thread of `within`."""
    timed = partial(_timed, ran_s.get(), partial(work, *arguments, **named))
    return await asyncio.get_running_loop().run_in_executor(within or _threads, timed)


def _timed(book: list[float] | None, work: Callable[[], Answer]) -> Answer:
    began_s = time.thread_time()
    try:
        return work()
    finally:
        if book is not None:
            book.append(time.thread_time() - began_s)


async def asked(
    make: Make, algorithm_type: str, parameters: Mapping[str, Any], ask: Callable[[Algorithm], Answer]
) -> Answer:
    """What `ask` finds out about an algorithm, which ends with it. What making it refuses is refused here, too."""
    within = _threads if algorithm_type == CUSTOM else _at_once
    return await apart(_asked, make, algorithm_type, parameters, ask, within=within)


async def whole_parameters(make: Make, algorithm_type: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters` with the defaults of those not named. InvalidInput when they contradict each other as well."""
    return await asked(make, algorithm_type, parameters, whole)


def whole(algorithm: Algorithm) -> dict[str, Any]:
    """Its parameters, defaults included. InvalidInput when they contradict each other, or hold what cannot be kept."""
    algorithm.check_together()
    return kept(algorithm.get_params())


def kept(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters`, which may be whatever somebody's code has for defaults. InvalidInput where JSON, or a database, has
    no place for one."""
    if len(parameters) > _MOST:
        raise InvalidInput(f"an algorithm has at most {_MOST} parameters, not {len(parameters)}")
    for name, value in parameters.items():
        match value:
            case None | bool():
                fine = True
            case int():
                fine = abs(value) <= _LARGEST
            case float():
                fine = isfinite(value) and abs(value) <= _LARGEST
            case str():
                fine = len(value) <= _LONGEST and value.isprintable()
            case _:
                fine = False
        if not fine or len(name) > _LONGEST or not name.isprintable():
            raise InvalidInput(
                f"the parameter {ascii(name)[:60]} cannot be kept: it must be a finite number of at most 15 digits, a "
                f"text of one line and at most {_LONGEST:,} characters, true, false or null"
            )
    return dict(parameters)


def _asked(
    make: Make, algorithm_type: str, parameters: Mapping[str, Any], ask: Callable[[Algorithm], Answer]
) -> Answer:
    with closing(make(algorithm_type, parameters)) as algorithm:
        return ask(algorithm)
