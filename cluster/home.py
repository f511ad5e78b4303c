"""The folder in which one running platform keeps everything that it owns."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.processes import started
from omc.errors import Conflict, Unavailable


@dataclass(frozen=True, slots=True)
class Home:
    folder: Path

    @property
    def run(self) -> Path:
        """What belongs to a run: locks, addresses, tokens."""
        return self.folder / "run"

    @property
    def dsn_file(self) -> Path:
        return self.run / "database.dsn"

    @property
    def jwt_key(self) -> Path:
        return self.folder / "keys" / "jwt.key"

    @property
    def vault_key(self) -> Path:
        return self.folder / "keys" / "vault.key"

    @property
    def given_vault_key(self) -> Path:
        """A key that came from the environment, for as long as a run lasts."""
        return self.run / "vault.key"

    @property
    def ray_token(self) -> Path:
        return self.folder / "keys" / "ray.token"

    @property
    def sandbox_token(self) -> Path:
        return self.folder / "keys" / "sandbox.token"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def front(self) -> Path:
        """HAProxy's configuration, and the sockets between it and the replicas."""
        return self.run / "front"

    @property
    def tls_certificate(self) -> Path:
        """By which clients on this machine know the platform, where HTTP is HTTPS."""
        return self.run / "tls.crt"

    @property
    def sandboxes(self) -> Path:
        """Where the platform's processes meet the one that sandboxes for people's code are forked from."""
        return self.run / "sandboxes"

    @property
    def record(self) -> Path:
        """Who runs the platform and where it listens: read by `omc status` and `omc down`."""
        return self.run / "platform.json"

    def prepare(self) -> None:
        """Make the folders, closed to everybody else."""
        try:
            for folder in (self.folder, self.run, self.jwt_key.parent, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise Unavailable(f"the home {self.folder} cannot be written: {fault.strerror}") from None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this home for one platform. Conflict when another one has it; the kernel gives a dead one's back."""
        lock = os.open(self.run / "platform.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            running = self.recorded()
            if running is None:
                raise Conflict(f"{self.folder} is in use: a platform starts on it, or an import is under way") from None
            where = f"process {running['pid']}, {running['url']}"
            raise Conflict(f"the platform already runs on {self.folder} ({where}): stop it with `omc down`") from None
        try:
            yield
        finally:
            os.close(lock)

    def recorded(self) -> dict[str, Any] | None:
        """What the last run wrote down, or None when it was stopped in order."""
        try:
            record = json.loads(self.record.read_text())
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) else None

    def running(self) -> dict[str, Any] | None:
        """What the platform that runs now wrote down. None when none does: one that was killed leaves its record, and
        others may have its process id since."""
        record = self.recorded() or {}
        pid, began = record.get("pid"), record.get("started")
        # True would be the process 1.
        if type(pid) is not int or began is None or started(pid) != began:
            return None
        return record

    def write_record(self, **what: Any) -> None:
        unfinished = self.record.with_suffix(".new")
        unfinished.write_text(json.dumps(what, indent=1) + "\n")
        unfinished.replace(self.record)
