"""One file that halts, or asks: whatever it says is read as something, and it is written whole or not at all."""

import contextlib
import errno
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from omc.risk.halt_files import Place
from omc.risk.kill_switch import Halt, HaltLevel

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_MOST_BYTES = 10_000
_MOST_WORDS = 500
_DAY = timedelta(days=1)


def read(path: Path, place: Place, unsaid: str, now: datetime) -> Halt:
    """What the file says, and the most that it can mean where it says nothing that can be read. Since it was written,
    where it names no moment up to `now`."""
    since, content = EPOCH, dict[str, Any]()
    with contextlib.suppress(OSError):
        since = _written(path, now)
        content = said(path)
    level = HaltLevel.ADDING if content.get("level") == HaltLevel.ADDING.value else HaltLevel.ALL
    reason = words(content.get("reason"))
    return Halt(place[0], moment(content.get("since"), since, now), reason or unsaid, level, place[1])


def said(path: Path) -> dict[str, Any]:
    """What a file says; nothing where it is no JSON object. OSError when it cannot be read."""
    # Somebody may have put a pipe there, which would never end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(_MOST_BYTES)
    try:
        found = json.loads(content or b"")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def words(said: object) -> str:
    """As any journal takes them: on one line or more, without what is no text, and no more than anybody reads."""
    if not isinstance(said, str):
        return ""
    return "".join(each for each in said if each.isprintable() or each == "\n")[:_MOST_WORDS].strip()


def moment(said: object, otherwise: datetime, now: datetime) -> datetime:
    """`said`, where it names a moment between 1970 and `now`, a day aside for clocks that differ."""
    try:
        stated = datetime.fromisoformat(said) if isinstance(said, str) else otherwise
        return stated.astimezone(UTC) if stated.tzinfo and EPOCH <= stated <= now + _DAY else otherwise
    except (ValueError, OverflowError):
        return otherwise


def write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all; where the disk has no room for words, an empty file says enough."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as fault:
        unfinished.unlink(missing_ok=True)
        if fault.errno not in NO_ROOM:
            raise
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    sync(path.parent)


def sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity(path: Path) -> str | None:
    """Of this file and no other that ever has its name."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return f"{found.st_ino}:{found.st_mtime_ns}"


def _written(path: Path, now: datetime) -> datetime:
    try:
        written = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except (ValueError, OverflowError):
        return EPOCH
    return written if EPOCH <= written <= now + _DAY else EPOCH
