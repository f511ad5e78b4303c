"""One running server process, kept running until it is told to stop."""

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from omc.adapters.postgres import launch, leftovers
from omc.adapters.postgres.cluster import Cluster
from omc.errors import OmcError, Unavailable

logger = logging.getLogger(__name__)

_LONGEST_SOCKET_PATH = 107
_LOG_BYTES = 16_000_000

# Two cores and little memory: no parallel plans (their segments fill a container's /dev/shm) and no JIT. Nothing that
# makes a commit durable is touched.
SETTINGS = {
    "shared_buffers": "128MB",
    # Every trader is a process with a few connections of its own; those that nobody has cost next to nothing.
    "max_connections": "1000",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


class Postmaster:
    """The server of one cluster. It ends when this process ends, however it ends, and comes back when it dies alone.

    A thread of its own starts the server and waits for it: the kernel ties a child to the thread that forked it, and a
    child that nobody waits for stays a zombie whose process id blocks its successor.
    """

    def __init__(self, cluster: Cluster, announce: Callable[[Path, int], None]) -> None:
        """`announce` is told the folder of the socket and the port, before each start of the server."""
        self._cluster = cluster
        self._announce = announce
        self._sockets = _socket_folder(cluster.identity)
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._failure: OmcError | None = None
        self._was_up = False
        self._log_start = 0
        self._thread = threading.Thread(target=self._keep, name="postgres", daemon=True)

    @property
    def sockets(self) -> Path:
        return self._sockets

    @property
    def port(self) -> int:
        return self._port

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, timeout_s: float) -> None:
        """Return when the server takes connections. Unavailable, with its own words, when it does not."""
        self._thread.start()
        deadline = time.monotonic() + timeout_s
        while not self._ready():
            if self._ended.is_set():
                raise self._failure or Unavailable("the database server ended as it started")
            if time.monotonic() > deadline:
                self.stop()
                raise Unavailable(f"the database server did not come up in {timeout_s:.0f} s: see {self._cluster.log}")
            time.sleep(0.005)

    def stop(self) -> None:
        """Write everything out and end the server; nothing of it is left running."""
        self._stopping.set()
        for how, patience_s in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if self._process:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process.pid, how)
            if self._ended.wait(patience_s) or not self._thread.is_alive():
                break
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _keep(self) -> None:
        failures = 0
        try:
            while not self._stopping.wait(min(5.0, 0.05 * 2**failures) if failures else 0.0):
                began = time.monotonic()
                came_up = self._run_once()
                if self._stopping.is_set():
                    return
                failures = 1 if time.monotonic() - began > 60 else failures + 1
                if not (self._was_up or (self._address_taken() and failures < 5)):
                    self._failure = Unavailable(f"the database server does not start: {self._last_words()}")
                    return
                logger.warning("database server ended, starting it again", extra={"came_up": came_up})
        except OmcError as error:
            self._failure = error
        except OSError as error:
            self._failure = Unavailable(f"the database server cannot be started: {error.strerror}")
        finally:
            if self._failure and self._was_up:
                logger.error("database server given up", extra={"reason": str(self._failure)})
            self._ended.set()

    def _run_once(self) -> bool:
        """Run the server until it ends; whether it ever took connections."""
        leftovers.clear(self._cluster.data)
        self._port = _free_port(self._port)
        self._announce(self._sockets, self._port)
        options = {**SETTINGS, "port": str(self._port), "unix_socket_directories": str(self._sockets)}
        command = [*self._cluster.identity.prefix, self._cluster.binaries.postgres, "-D", str(self._cluster.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        log = self._cluster.log
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.unlink()
        with log.open("ab") as out:
            self._log_start = out.tell()
            # A session of its own: Ctrl-C at the terminal is for us, who stop the server when its users are done.
            self._process = subprocess.Popen(  # noqa: S603 - no input from outside
                launch.tied(tuple(command)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self._cluster.folder,
                start_new_session=True,
            )
        if self._stopping.is_set():
            self._process.send_signal(signal.SIGINT)
        came_up = False
        while True:
            try:
                self._process.wait(None if came_up else 0.02)
            except subprocess.TimeoutExpired:
                came_up = self._ready()
                self._was_up = self._was_up or came_up
            else:
                return came_up

    def _ready(self) -> bool:
        """Whether the server says so in its lock file; line 8 of it is its state."""
        try:
            lines = (self._cluster.data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _log_since_start(self) -> str:
        with self._cluster.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read(100_000).decode(errors="replace")

    def _address_taken(self) -> bool:
        return "Address already in use" in self._log_since_start()

    def _last_words(self) -> str:
        lines = self._log_since_start().splitlines()
        told = [line.split("FATAL:", 1)[1].strip() for line in lines if "FATAL:" in line]
        return told[-1] if told else (lines[-1] if lines else "it said nothing")


def _socket_folder(who: launch.Identity) -> Path:
    """A new folder that only the server's user enters, with a name short enough for a socket's address."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes a private folder there
        too_long = len(parent) + len("/omc-pg-12345678/.s.PGSQL.65535") > _LONGEST_SOCKET_PATH
        if too_long or not os.access(parent, os.W_OK):
            continue
        folder = Path(tempfile.mkdtemp(prefix="omc-pg-", dir=parent))
        who.own(folder)
        return folder
    raise Unavailable("no temporary folder has a name short enough for a socket: set TMPDIR to a shorter one")


def _free_port(wanted: int) -> int:
    """`wanted` while it is free, because others may know it already; otherwise any free port of the loopback."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("no port of the loopback is free for the database server")
