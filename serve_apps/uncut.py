"""Work that goes on when its client has gone: Serve cancels a handler whose connection closed."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

logger = logging.getLogger("omc.http")

T = TypeVar("T")
# The event loop itself keeps no task alive.
_running: set[asyncio.Task[Any]] = set()


async def uncut(work: Coroutine[Any, Any, T]) -> T:
    """Carry `work` out to its end, whatever becomes of whoever waits for it."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_report)
        raise


def _report(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and (fault := task.exception()):
        logger.error("work of a client that has gone failed", exc_info=fault)
