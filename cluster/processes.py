"""The platform's processes: tied to whoever runs the platform, and found again when they outlived a killed one."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

_PROC = Path("/proc")
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
# Every process that the platform starts carries its home in this variable.
MARK = "OMC_PLATFORM"

# Run by a fresh interpreter, so that nothing runs between fork and exec in a process that may have threads.
_TIED = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("whoever asked for this process is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


def end_with_parent(parent: int) -> None:
    """Be told to stop when `parent` ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("omc: whoever asked for the platform is gone")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that none is lost sight of."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)


def start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Run `command` where Ctrl-C at the terminal does not reach it; it is told to stop when this thread ends."""
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def started(pid: int) -> int | None:
    """When a process started, in the kernel's ticks: with the id it names one process, for ids come round again."""
    try:
        return int((_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[19])
    except (OSError, IndexError):
        return None


def descendants(of: int) -> list[int]:
    """Every living process below `of`."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        with contextlib.suppress(OSError, IndexError):
            state, parent = (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            if state != "Z":
                children.setdefault(int(parent), []).append(pid)
    found: list[int] = []
    waiting = [of]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def marked(home: Path) -> list[int]:
    """Processes that some earlier run of `home` started and that are still there, ours and nobody else's."""
    mark = f"{MARK}={home}".encode()
    ours = {os.getpid(), *_ancestors(os.getpid())}
    return [pid for pid in _pids() if pid not in ours and mark in _environment(pid)]


def end(pids: Iterable[int], patience_s: float = 3.0) -> None:
    """Ask processes to stop, and make them when they have not within `patience_s`."""
    left = set(pids)
    for how, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 5.0)):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, how)
        deadline = time.monotonic() + wait_s
        while (left := {pid for pid in left if _alive(pid)}) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not left:
            return


def end_below(parent: int, within_s: float = 30.0) -> None:
    """End every process below `parent`.

    Looked for again until none is found: one whose own parent dies while we look is on neither's list.
    """
    deadline = time.monotonic() + within_s
    while (below := descendants(parent)) and time.monotonic() < deadline:
        end(below)


class Family:
    """Everything below this process, remembered before it is taken apart."""

    def __init__(self) -> None:
        self._members: dict[int, int | None] = {}

    def remember(self) -> None:
        self._members = {pid: started(pid) for pid in descendants(os.getpid())}

    def end(self) -> None:
        """End those that are still there."""
        end(pid for pid, since in self._members.items() if started(pid) == since)


def _alive(pid: int) -> bool:
    """Whether it runs; an ended child of ours is let go on the way."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        return (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _pids() -> list[int]:
    return [int(each.name) for each in _PROC.glob("[0-9]*")]


def _environment(pid: int) -> list[bytes]:
    try:
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _ancestors(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError, IndexError):
        while pid > 1:
            pid = int((_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[1])
            found.append(pid)
    return found
