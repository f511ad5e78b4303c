"""How a zygote is started: with nothing of its parent's but one end of a socket."""

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import omc
from omc.adapters.sandbox_process.limits import Limits

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
}
"""All of it: a process keeps its environment in its memory, for whoever breaks in to read."""


def launch(command: Sequence[str] = COMMAND) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a zygote: its process, and the parent's end of its socket, on which it says `ready`. Close the socket to
    end it and all its children; then wait for it.

    OSError where it cannot be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 (our own command)
            [*command, str(theirs.fileno())],
            cwd=Path(omc.__file__).parents[1],
            env=ENVIRONMENT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # An interrupt at the keyboard is for the parent, which then ends this.
            start_new_session=True,
        )
    return process, ours


def spawn_packet(ticket: int, limits: Limits) -> bytes:
    """What asks for a process; the child's end of its socket goes beside it."""
    return json.dumps({"spawn": ticket, "limits": asdict(limits)}).encode()
