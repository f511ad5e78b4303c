"""Word of a replica's end, before it waits for its connections.

Ray Serve tells an application that it stops when all its requests are over, and a WebSocket is a request that is never
over: clients would be cut off in the end rather than told to come again. Called in a replica before it serves.
"""

from collections.abc import Callable
from typing import Any


def before_draining(work: Callable[[], None]) -> None:
    """Have `work` called, in another thread than the application's, when this process's replica is told to stop."""
    from ray.serve._private import replica

    module: Any = replica
    stop = module.Replica.perform_graceful_shutdown

    async def perform_graceful_shutdown(self: Any) -> None:
        work()
        await stop(self)

    module.Replica.perform_graceful_shutdown = perform_graceful_shutdown
