"""Halting without the platform's help: a file in its home, which whoever sends orders looks at before every one."""

import base64
import contextlib
import errno
import fcntl
import getpass
import json
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from omc.cli.outcome import Failure
from omc.cli.session import SessionFile

PLATFORM = "platform"
_RESET, _ANSWER = "reset.request", ".reset.answer"
_TURN_S = 2.0
"""How long whoever halts waits for its turn: one that hangs keeps nobody from halting."""


def is_here(home: Path) -> bool:
    """Whether a platform has ever kept what it owns in this folder."""
    return (home / "run").is_dir()


def account(home: Path, url: str) -> str | None:
    """Whose halt a file is named by: who signed in last for `url` at this terminal, as the token says that the platform
    once gave. Nobody checks it here: a halt of nobody's stops nothing."""
    tokens = SessionFile(home / "session.json").load(url)
    try:
        payload = tokens.access_token.split(".")[1] if tokens else ""
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(UUID(claims["sub"]))
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def write(home: Path, name: str, reason: str, level: str = "all") -> Path:
    """Halt what `name` names: `platform`, or a user's id. A halt that is there keeps its moment and its reason, unless
    this one stops more; a reset of what was there before does not end it. Failure when it cannot be written."""
    path = home / "halts" / name
    said = {"since": datetime.now(UTC).isoformat(), "reason": reason, "level": level}
    with _alone(path.parent):
        if os.path.lexists(path):
            first = _said(path)
            stops_all = first.get("level") != "adding"
            if first.get("reason") and (stops_all or level == "adding"):
                said = first
            elif stops_all:
                said["level"] = "all"
        _put(path, said)
    return path


def ask_reset(home: Path, reason: str) -> Path:
    """Ask whoever runs the platform to end the halt that is there now; it does so as soon as it can say so in
    everybody's journal. A halt that is made later is not meant."""
    path = home / "halts" / _RESET
    by = f"{getpass.getuser()} on {socket.gethostname()}"
    with _alone(path.parent):
        (path.parent / _ANSWER).unlink(missing_ok=True)
        _put(path, {"by": by, "reason": reason, "at": datetime.now(UTC).isoformat(), "seen": _seen(home)})
    return path


def still(home: Path) -> str:
    """What halts the platform after a reset that was answered; empty when nothing does."""
    return str(_said(home / "halts" / _ANSWER).get("still", ""))


def _seen(home: Path) -> dict[str, str]:
    """Each file that halts the platform, by its path within the home, and what tells it from any that comes later."""
    folder = home / "halts"
    paths = [path for path in folder.iterdir() if not path.name.startswith(".") and path.name != _RESET]
    found = [path for path in paths if not _is_somebodys(path.name)]
    found += [home / "HALT"] if os.path.lexists(home / "HALT") else []
    seen = dict[str, str]()
    for path in found:
        # What is gone by now halts nothing.
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            seen[path.relative_to(home).as_posix()] = f"{status.st_ino}:{status.st_mtime_ns}"
    return seen


def _is_somebodys(name: str) -> bool:
    """Whether it names a user, or a user's deployment; any other name halts everybody."""
    user, dot, deployment = name.partition(".")
    try:
        return bool(UUID(user) and (not dot or UUID(deployment)))
    except ValueError:
        return False


def _said(path: Path) -> dict[str, Any]:
    """Nothing where it is no JSON object, or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            said = json.loads(file.read(10_000) or b"")
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Take turns with whoever trips and resets there, the platform too."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise Failure(f"{folder} cannot be written: {fault.strerror}") from None
        yield
        return
    until = time.monotonic() + _TURN_S
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    break
                time.sleep(0.01)
        yield
    finally:
        os.close(lock)


def _put(path: Path, said: dict[str, Any]) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(said, file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as fault:
        raise Failure(f"{path} cannot be written: {fault.strerror}") from None
