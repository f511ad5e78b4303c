"""The files of one embedded server: its data, and the passwords that open it."""

import contextlib
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from omc.adapters.postgres import launch
from omc.adapters.postgres.binaries import Binaries, find
from omc.errors import Unavailable

_SUPERUSER, _USER = "postgres", "omc"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder that is whole, with the programs that made it."""

    folder: Path
    binaries: Binaries
    identity: launch.Identity

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def superuser_dsn(self, sockets: Path, port: int) -> str:
        """For making the platform's own role and database; nothing else needs a superuser."""
        return self._dsn(_SUPERUSER, "postgres", sockets, port)

    def dsn(self, sockets: Path, port: int) -> str:
        return self._dsn(_USER, _USER, sockets, port)

    def password(self, role: str) -> str:
        return (self.folder / f"{role}.password").read_text()

    def _dsn(self, role: str, database: str, sockets: Path, port: int) -> str:
        return f"postgresql://{role}:{self.password(role)}@/{database}?host={sockets}&port={port}"


def opened(folder: Path) -> Cluster:
    """The cluster in `folder`, made now when there is none. The caller holds the lock of the home."""
    try:
        major = int((folder / "data" / "PG_VERSION").read_text())
    except FileNotFoundError:
        return _made(folder)
    except ValueError as error:
        raise Unavailable(f"{folder} is not a PostgreSQL data folder: its PG_VERSION is unreadable") from error
    binaries = find(major)
    who = launch.identity(folder.parent, binaries)
    who.own(folder)
    return Cluster(folder, binaries, who)


def _made(folder: Path) -> Cluster:
    # Made elsewhere and renamed, so that a folder with this name is always whole, however often somebody was killed.
    for unfinished in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    if folder.exists():
        raise Unavailable(f"{folder} exists and holds no database: move it away")
    binaries = find()
    new = Path(tempfile.mkdtemp(prefix=f"{folder.name}.new-", dir=folder.parent))
    try:
        who = launch.identity(folder.parent, binaries)
        for role in (_SUPERUSER, _USER):
            _secret(new / f"{role}.password")
        who.own(new)
        _initdb(new, binaries, who)
        new.rename(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(new)
    return Cluster(folder, binaries, who)


def _secret(file: Path) -> None:
    file.touch(mode=0o600)
    file.write_text(secrets.token_urlsafe(24))


def _initdb(folder: Path, binaries: Binaries, who: launch.Identity) -> None:
    command = (
        *who.prefix,
        binaries.initdb,
        f"--pgdata={folder / 'data'}",
        f"--username={_SUPERUSER}",
        f"--pwfile={folder / f'{_SUPERUSER}.password'}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    )
    done = subprocess.run(  # noqa: S603 - no input from outside
        launch.tied(command), capture_output=True, text=True, check=False, cwd=folder
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower() or "could not" in line]
        reason = (said or done.stderr.splitlines() or ["it said nothing"])[0].removeprefix("initdb: ").strip()
        raise Unavailable(f"PostgreSQL could not make a database under {folder.parent}: {reason}")
