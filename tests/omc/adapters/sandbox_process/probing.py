"""Code with every builtin and ctypes, behind the second wall alone: what becomes of it, as one word."""

import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from omc.adapters.sandbox_process import system_calls, zygote
from omc.adapters.sandbox_process.launch import launch, spawn_packet
from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.warm import warm

ORDINARY = 1000
_LONGEST = 200_000


def number(name: str) -> int:
    """Of a system call on this machine."""
    machine = os.uname().machine
    tables = (system_calls.ALLOWED, system_calls.CHECKED, system_calls.FILES, system_calls.HOSTILE, system_calls.NEW)
    return next(table[name][machine] for table in tables if name in table)  # type: ignore[index]


def serve(channel: int) -> None:
    """In the locked process: run what comes, and say what it set `x` to or raised."""
    import numpy as np
    import pandas as pd

    from omc.adapters.sandbox_process import kernel

    def call(name: str | int, *arguments: Any) -> int:
        return kernel.call(number(name) if isinstance(name, str) else name, *arguments)

    while source := os.read(channel, _LONGEST).decode():
        names: dict[str, Any] = {"np": np, "pd": pd, "call": call, "channel": channel, "os": os}
        try:
            exec(source, names)
            said = f"done {names.get('x')}"
        except OSError as error:
            said = errno.errorcode.get(error.errno or 0, type(error).__name__)
        except BaseException as error:
            said = type(error).__name__
        os.write(channel, said.encode()[:_LONGEST])


def command(user: int | None = None, before: str = "") -> tuple[str, ...]:
    """Starts a zygote that serves probes; as `user`, and after running `before`."""
    return (
        *(sys.executable, "-s", "-c"),
        f"from {__name__} import main; {before}\nmain({user})",
    )


def main(user: int | None) -> None:
    def prepare() -> None:
        warm()
        if user is not None:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)

    zygote.run(sys.argv[1:], serve, prepare)


class Prober:
    """A zygote, and one probe after another in a process of its own each."""

    def __init__(self, user: int | None = None, before: str = "", launched: Callable[..., Any] = launch) -> None:
        self.process: subprocess.Popen[bytes]
        self.control: socket.socket
        self.process, self.control = launched(command(user, before))
        self.ready = self.told()[0]
        self._tickets = 0

    def told(self) -> tuple[dict[str, Any], list[int]]:
        packet, passed, _, _ = socket.recv_fds(self.control, _LONGEST, 1)
        return json.loads(packet or b"{}"), passed

    def spawn(self, limits: Limits) -> tuple[dict[str, Any], list[int], socket.socket]:
        """What the zygote answered, with what descriptors, and the parent's end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._tickets += 1
        with theirs:
            socket.send_fds(self.control, [spawn_packet(self._tickets, limits)], [theirs.fileno()])
        return *self.told(), ours

    def outcome(self, source: str, limits: Limits | None = None, deadline_s: float = 60.0) -> str:
        """`done …`, the errno or exception that it met, the signal that ended it, or `deadline`."""
        answer, passed, channel = self.spawn(limits or Limits())
        assert "spawned" in answer, answer
        with channel:
            channel.send(source.encode())
            late = not select.select([channel], [], [], deadline_s)[0]
            if late:
                signal.pidfd_send_signal(passed[0], signal.SIGKILL)
            said = b"" if late else _received(channel)
        ended, _ = self.told()
        os.close(passed[0])
        assert ended["ended"] == answer["spawned"]
        if late:
            assert ended["exit"] == -signal.SIGKILL
            return "deadline"
        code = ended["exit"]
        return said.decode() if said else signal.Signals(-code).name if code < 0 else f"exit {code}"

    def close(self) -> None:
        self.control.close()
        self.process.wait(timeout=60)


def _received(channel: socket.socket) -> bytes:
    try:
        return channel.recv(_LONGEST)
    except ConnectionResetError:
        return b""
