"""Ray on one machine: its sockets on the loopback, its doors closed to whoever has no token.

Ray reads its environment as it is imported, so nothing in this process may import it before `environment` is set.
"""

import logging
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.ports import LOOPBACK, free_port
from cluster.proxy_door import CALLBACK

# Unix sockets lie below it and their addresses hold 107 characters.
_LONGEST_FOLDER = 38
# Ray opens the folder that it is given to every user of the machine: it gets one inside ours, which nobody else enters.
_INSIDE = "r"
_JOIN_PORT = 6379
# A machine of so many CPUs is too small to keep one free.
_SHARED = 2
# Without these nothing is restarted any more, and nobody hears of it: workers live on, and HTTP does not answer.
_VITAL = ("raylet", "gcs_server")


def environment(token_file: Path, *, multi_node: bool) -> dict[str, str]:
    """What every process of this Ray cluster has in its environment."""
    return {
        # Named for other systems; on Linux, too, 0 binds every socket of Ray to the loopback.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1" if multi_node else "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_file),
        # Ray's own monitor kills retriable workers first, which are the floor's: on one machine the kernel's choice,
        # the largest process, is the better one.
        "RAY_memory_monitor_refresh_ms": "0",
        # Ray's workers give way to every other process, and traders are workers: here only the lab's give way.
        "RAY_worker_niceness": "0",
        # A dead proxy is noticed in 5 seconds rather than 30.
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "2",
        **CALLBACK,
        # Apps run in the replica's own event loop, which is the quicker kind, and not in a thread beside it.
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        # A machine that is busy takes longer than Ray would wait for a node of its own.
        "RAY_raylet_start_wait_time_s": "150",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_DEDUP_LOGS": "0",
        # The one port of the dashboard that has a fixed number: two platforms share a machine.
        "DASHBOARD_METRIC_PORT": str(free_port()),
    }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a head node is to have. `cpus` None takes the machine's own number."""

    dashboard_port: int
    cpus: int | None
    object_store_mb: int
    multi_node: bool


@dataclass(frozen=True, slots=True)
class RayHead:
    """A running head node of which this process is the owner."""

    node: Any

    @property
    def address(self) -> str:
        return str(self.node.address)

    @property
    def dashboard(self) -> str:
        return f"http://{self.node.webui_url}"

    @property
    def ended(self) -> str | None:
        """Which process that the node cannot do without has ended by itself; None while all of them run."""
        dead = {kind for kind, _ in self.node.dead_processes()}
        return next((kind for kind in _VITAL if kind in dead), None)

    def stop(self) -> None:
        """End every process of the node."""
        import ray

        # Nobody is left to say goodbye to, and Ray's client ends this process when it finds that out.
        if self.ended is None:
            ray.shutdown()
        self.node.kill_all_processes(check_alive=False, allow_graceful=True)


def preload() -> None:
    """Import what starting a node imports, so that another thread may import Serve meanwhile: two threads that import
    each other's modules at once can see half of one."""
    import ray._common.usage.usage_lib
    import ray.dashboard.optional_deps  # noqa: F401


def start(folder: Path, wanted: Wanted) -> RayHead:
    """Start a head node and connect to it. Main thread only: the kernel ties the node's processes to it."""
    import ray
    from ray._private.node import Node
    from ray._private.parameter import RayParams

    # `ray.init` alone would start two processes more, an autoscaler and a mover of logs to a driver's terminal, for
    # which one machine has no use: a sixth of the start and 100 MB.
    parameters: dict[str, Any] = {
        "num_cpus": wanted.cpus,
        "object_store_memory": wanted.object_store_mb * 2**20,
        "include_dashboard": True,
        "dashboard_host": LOOPBACK,
        "dashboard_port": wanted.dashboard_port,
        "dashboard_agent_listen_port": 0,
        "node_ip_address": None if wanted.multi_node else LOOPBACK,
        "gcs_server_port": _JOIN_PORT if wanted.multi_node else None,
        # The floor's actors stay on the node that says so; the lab's work goes anywhere that has room for it.
        "resources": {"lab": float(lab_slots(wanted.cpus))} | ({"floor": 1.0} if wanted.multi_node else {}),
        "temp_dir": str(folder / _INSIDE),
        "no_monitor": True,
        "include_log_monitor": False,
    }
    node = Node(RayParams(**parameters), head=True, shutdown_at_exit=False, spawn_reaper=True)
    ray.init(address=node.address, namespace="omc", log_to_driver=False, logging_level=logging.WARNING)
    return RayHead(node)


def lab_slots(cpus: int | None) -> int:
    """How many CPUs the lab may fill with sweeps: all but one for the floor where there are more than two, and at least
    one. On smaller machines the lab's workers are as nice as can be, and the floor comes first whenever it wants."""
    machine = cpus or len(os.sched_getaffinity(0))
    return machine - 1 if machine > _SHARED else machine


def session_folder() -> Path:
    """A new private folder with a name short enough for sockets in it."""
    parent = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="omc-ray-", dir=parent if len(parent) < _LONGEST_FOLDER - 16 else "/tmp"))  # noqa: S108


def salvage(folder: Path, logs: Path) -> None:
    """Keep a session's logs and remove the rest of it."""
    if not folder.name.startswith("omc-ray-"):
        return
    for session in (folder / _INSIDE).glob("session_2*"):
        shutil.rmtree(logs / "ray", ignore_errors=True)
        with suppress(OSError):
            shutil.move(session / "logs", logs / "ray")
    shutil.rmtree(folder, ignore_errors=True)
