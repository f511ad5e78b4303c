"""Where the floor's actors live: their names, and how one is started, found and stopped."""

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError

NAMESPACE = "omc"
COLLECTOR_EXCHANGE = "collector:exchange"
RISK = "risk:0"
SUPERVISOR = "supervisor"
TRADER_PREFIX = "trader:"

FLOOR_RESOURCE = "floor"
"""Nodes that carry this resource are the floor's own: no lab work that could starve or crush it runs there."""
_SLIVER = 0.001

_log = logging.getLogger(__name__)


def start(actor_class: type, name: str, *args: Any, **kwargs: Any) -> ActorHandle[Any]:
    """The actor of that name, started when it does not run yet. It outlives whoever starts it, and whatever kills its
    process: Ray runs its constructor again.

    No call is repeated by Ray: who calls knows whether asking twice is harmless. Ray's memory monitor kills retriable
    workers first, as these are; so where the cluster sets nodes apart for the floor, they are placed there.
    """
    made_remote: Any = ray.remote
    actor: ActorHandle[Any] = (
        made_remote(concurrency_groups={"control": 2})(actor_class)
        .options(
            name=name,
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            max_task_retries=0,
            num_cpus=0,
            resources={FLOOR_RESOURCE: _SLIVER} if _has_floor_nodes() else None,
        )
        .remote(*args, **kwargs)
    )
    return actor


def _has_floor_nodes() -> bool:
    cluster_resources: Any = ray.cluster_resources
    return FLOOR_RESOURCE in cluster_resources()


def find(name: str) -> ActorHandle[Any] | None:
    """The running actor of that name."""
    try:
        return ray.get_actor(name, NAMESPACE)
    except ValueError:
        return None


def running(prefix: str = "") -> list[str]:
    """Names of the floor's actors that are alive or being restarted."""
    named = ray.util.list_named_actors(all_namespaces=True)
    return sorted(each["name"] for each in named if each["namespace"] == NAMESPACE and each["name"].startswith(prefix))


async def stop(name: str, patience_s: float = 30.0) -> None:
    """Let the actor of that name finish what it does, then end its process. One that cannot finish is killed: what it
    was doing is journaled, so whoever comes next finishes it."""
    actor = find(name)
    if actor is None:
        return
    try:
        await asyncio.wait_for(actor.stop.remote(), patience_s)
        actor.__ray_terminate__.remote()
        if await _gone(name, patience_s):
            return
    except (RayError, TimeoutError) as error:
        _log.warning("actor would not stop", extra={"actor": name, "error": str(error)})
    ray.kill(actor, no_restart=True)


async def _gone(name: str, patience_s: float) -> bool:
    seconds = asyncio.get_running_loop().time
    deadline = seconds() + patience_s
    while find(name) is not None:
        if seconds() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def background(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run an actor's own loop beside its methods. Ray constructs actors with async methods inside their event loop."""
    return asyncio.get_running_loop().create_task(work, name=name)


def holder() -> str:
    """This process, as whoever looks at a lease would want to find it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def die() -> None:
    """End this process at once. Ray starts the actor anew, unless it is one that a dead node left behind."""
    os._exit(70)
