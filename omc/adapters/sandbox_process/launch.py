"""How a zygote is started, with nothing of its parent's but a socket, and how it is asked for a process."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import omc
from omc.adapters.sandbox_process.limits import Limits, Together
from omc.errors import Unavailable

COMMAND = (sys.executable, "-s", "-m", "omc.adapters.sandbox_process.zygote")
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    # In which order a set of words comes follows from it, and so does what code adds up in that order.
    "PYTHONHASHSEED": "0",
    # One of Arrow's allocators starts a thread when it is loaded.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # What a time without a zone means.
    "TZ": "UTC",
}
"""All of it: a process keeps its environment in its memory, for whoever breaks in to read."""


def launch(command: Sequence[str] = COMMAND) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a zygote of one's own: its process, and the parent's end of its socket, on which it says `ready`. Close the
    socket to end it and all its children; then wait for it.

    OSError where it cannot be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        return _started([*command, str(theirs.fileno())], theirs), ours


def launch_at(door: socket.socket, command: Sequence[str], linger_s: float) -> None:
    """Start one for whoever connects to `door`, which listens: nobody's child, that ends by itself.

    Unavailable where it cannot be started; OSError likewise.
    """
    started = _started([*command, str(door.fileno()), str(linger_s)], door, stderr=subprocess.DEVNULL)
    # It forks at once, and what was started here ends.
    if started.wait() != 0:
        raise Unavailable(f"the process that sandboxes are forked from ended with status {started.returncode}")


def _started(command: Sequence[str], given: socket.socket, stderr: int | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (our own command)
        command,
        cwd=Path(omc.__file__).parents[1],
        env=ENVIRONMENT,
        pass_fds=[given.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        # An interrupt at the keyboard is for the parent, which then ends this.
        start_new_session=True,
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a zygote."""

    limits: Limits
    together: Together = field(default_factory=Together)
    unsafe: bool = False
    """Run even where layers are missing."""

    def packet(self, ticket: int) -> bytes:
        """What asks for a process; the child's end of its socket goes beside it."""
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        return json.dumps({"spawn": ticket, **asdict(self), "nice": nice}).encode()


def spawn_packet(ticket: int, limits: Limits) -> bytes:
    """One that asks for no more than it must."""
    return json.dumps({"spawn": ticket, "limits": asdict(limits)}).encode()
