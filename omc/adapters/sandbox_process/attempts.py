"""What nobody's code may do, tried for real: by which the layers of the second wall show that they hold."""

import contextlib
import ctypes
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from omc.adapters.sandbox_process import kernel, seccomp, system_calls

_DONE, _STOPPED, _NOT_SET_UP = 0, 1, 2
_LOCAL = ("127.0.0.1", 1)
Attempts = Mapping[str, Callable[[], object]]


@contextlib.contextmanager
def attempts() -> Iterator[Attempts]:
    """By name; each raises OSError, or ends its process with SIGSYS, when it is stopped, and is to be run in a process
    of its own (`outcome`). Two sockets listen meanwhile, so that only a lock can be why nobody answers."""
    machine = kernel.machine()
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX) as named,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        Path(folder).chmod(0o755)
        named.bind(f"{folder}/socket")
        Path(f"{folder}/socket").chmod(0o777)
        abstract.bind("")
        named.listen()
        abstract.listen()
        places: list[str | bytes] = [named.getsockname(), abstract.getsockname()]
        yield {
            "read a file": lambda: os.open(os.devnull, os.O_RDONLY),
            "write a file": lambda: os.open(os.devnull, os.O_WRONLY),
            "ask for a file's status": lambda: Path(os.devnull).stat(),
            "speak TCP": _tcp,
            "speak UDP": lambda: _connect(socket.AF_INET, socket.SOCK_DGRAM, _LOCAL),
            "speak to a socket in a folder": lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, places[0]),
            "speak to a socket without a folder": lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, places[1]),
            "signal its parent": lambda: os.kill(os.getppid(), 0),
            "start a process": _fork,
            "make memory executable": lambda: kernel.call(
                system_calls.CHECKED["mmap"][machine], None, 4096, 1 | seccomp.PROT_EXEC, 0x22, -1, 0
            ),
            "make a file in memory": lambda: kernel.call(
                system_calls.NEW["memfd_create"][machine], ctypes.create_string_buffer(b"probe"), 0
            ),
        }


def outcome(set_up: Callable[[], object], attempt: Callable[[], object]) -> bool | None:
    """Whether `attempt` was stopped in a forked process that ran `set_up` before; None when that failed."""
    child = os.fork()
    if child == 0:
        code = _NOT_SET_UP
        try:
            set_up()
            code = _DONE
            attempt()
        except OSError:
            code = max(code, _STOPPED)
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if code == _NOT_SET_UP else code in (_STOPPED, -signal.SIGSYS)


def _tcp() -> None:
    """Nobody listens there, and being told so is having spoken."""
    with contextlib.suppress(ConnectionRefusedError):
        _connect(socket.AF_INET, socket.SOCK_STREAM, _LOCAL)


def _connect(family: int, kind: int, place: tuple[str, int] | str | bytes) -> None:
    with socket.socket(family, kind) as each:
        each.connect(place)


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
