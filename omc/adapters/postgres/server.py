"""The embedded server: PostgreSQL under a home, run by whoever needs it first and shared by everybody else."""

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from omc.adapters.postgres import cluster, dsn, leftovers
from omc.adapters.postgres.postmaster import Postmaster
from omc.errors import Unavailable


class EmbeddedPostgres:
    """The PostgreSQL server of one home.

    Of several processes that start it, exactly one becomes its owner; the others attach to what the owner runs. It
    ends with its owner, however that ends, and survives a kill -9 of anything without losing an acknowledged row.
    Connections need a generated password: through a socket in a private folder, or on 127.0.0.1.
    """

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self.dsn_file = self.home / "run" / "database.dsn"
        self._sockets_note = self.home / "run" / "database.sockets"
        self._lock: int | None = None
        self._postmaster: Postmaster | None = None

    @property
    def owner(self) -> bool:
        """Whether this object runs the server, rather than being attached to somebody else's."""
        return self._postmaster is not None

    @property
    def pid(self) -> int | None:
        """The server's process id, when it runs."""
        return leftovers.postmaster(self.home / "postgres" / "data")

    def start(self, timeout_s: float = 120.0) -> str:
        """Start the server, or attach to it; its address. Unavailable, in one sentence, when neither works.

        The address stands in `dsn_file` too, before this returns.
        """
        if self._postmaster:
            return dsn.read(self.dsn_file)
        try:
            self.dsn_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"the home {self.home} cannot be written: {error.strerror}") from error
        deadline = time.monotonic() + timeout_s
        while not self._take_lock():
            if address := self._answering():
                return address
            if time.monotonic() > deadline:
                raise Unavailable(f"another process holds the database of {self.home}, and it does not answer")
            time.sleep(0.05)
        try:
            return self._own(timeout_s)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server if this object owns it; otherwise do nothing."""
        if self._postmaster:
            self._postmaster.stop()
            self._postmaster = None
            self.dsn_file.unlink(missing_ok=True)
            self._sockets_note.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _take_lock(self) -> bool:
        """The lock is the owner's for as long as it lives: the kernel gives it back, whatever became of the owner."""
        lock = os.open(self.home / "run" / "database.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def _answering(self) -> str | None:
        """The address of a server that somebody else runs, once it answers."""
        try:
            address = dsn.read(self.dsn_file)
            psycopg.connect(address, connect_timeout=3).close()
        except (Unavailable, psycopg.Error):
            return None
        return address

    def _own(self, timeout_s: float) -> str:
        self.dsn_file.unlink(missing_ok=True)
        files = cluster.opened(self.home / "postgres")
        server = self._postmaster = Postmaster(files, lambda sockets, port: self._moved(files, sockets, port))
        server.start(timeout_s)
        _prepare(files, server)
        return dsn.write(self.dsn_file, files.dsn(server.sockets, server.port))

    def _moved(self, files: cluster.Cluster, sockets: Path, port: int) -> None:
        """The server is about to listen at a new address; forget the socket of a killed one."""
        try:
            former = Path(self._sockets_note.read_text())
        except FileNotFoundError:
            former = sockets
        if former != sockets and former.name.startswith("omc-pg-"):
            shutil.rmtree(former, ignore_errors=True)
        self._sockets_note.write_text(str(sockets))
        if self.dsn_file.exists():
            dsn.write(self.dsn_file, files.dsn(sockets, port))


def _prepare(files: cluster.Cluster, server: Postmaster) -> None:
    """Make the platform's role, which is no superuser, and its database, unless they are there."""
    password = files.password("omc")
    try:
        with psycopg.connect(files.superuser_dsn(server.sockets, server.port), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'omc'").fetchone():
                connection.execute(sql.SQL("CREATE ROLE omc LOGIN CREATEDB PASSWORD {}").format(password))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'omc'").fetchone():
                connection.execute("CREATE DATABASE omc OWNER omc")
    except psycopg.Error as error:
        raise Unavailable(f"the database server came up and refused us: {str(error).splitlines()[0]}") from error
