"""Processes that share a zygote, for tests: some in this process, some in others that can be killed."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from omc.adapters.sandbox_process.launch import Wanted
from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.meeting import Meeting
from omc.adapters.sandbox_process.nursery import Nursery
from omc.adapters.sandbox_process.process import SandboxProcess

LINGER_S = 0.5
PREPARED = """
import sys
from omc.adapters.sandbox_process import zygote
from tests.omc.adapters.sandbox_process import probing
def prepare():
    {}
zygote.run(sys.argv[1:], probing.serve, prepare)
"""
BARE = (sys.executable, "-s", "-c", PREPARED.format("pass"))
"""Starts a zygote that has loaded nothing, and serves probes."""


def joined(place: Meeting) -> Nursery:
    return Nursery(lambda: (None, place.join()))


def wanted(**settings: Any) -> Wanted:
    return Wanted(Limits(), **settings)


class Process:
    """Another owner: a process of its own that joins, and spawns what loops for ever when it is told to."""

    def __init__(self, place: Meeting) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from tests.omc.adapters.sandbox_process.owning import own; own()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.pid = self.process.pid
        self.zygote = self._told(json.dumps([str(place.folder), place.command, place.linger_s]))

    def spawn(self) -> int:
        """The pid of what it spawned."""
        return self._told("spawn")

    def _told(self, what: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(what.encode() + b"\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self, how: int = signal.SIGKILL) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
        with self.process:
            pass


def own() -> None:
    """The life of a `Process`."""

    def say(number: int) -> None:
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()

    folder, command, linger_s = json.loads(sys.stdin.readline())
    nursery, held = joined(Meeting(Path(folder), tuple(command), linger_s)), []
    say(nursery.zygote)
    for _ in sys.stdin:
        held.append(nursery.spawn(wanted()))
        held[-1]._channel.send(b"while True: pass", None, 5.0)
        say(pid_of(held[-1]))


def pid_of(process: SandboxProcess) -> int:
    found: int = process._child.pid  # type: ignore[attr-defined]
    return found


def answer(process: SandboxProcess, source: str) -> str:
    """What becomes of code with every builtin in a process that serves probes: its answer, or `over`."""
    try:
        process._channel.send(source.encode(), None, 30.0)
        return bytes(process._channel.receive(30.0)).decode()
    except EOFError:
        return "over"
