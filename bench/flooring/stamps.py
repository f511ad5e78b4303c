"""Moments by the machine's one monotonic clock, appended to a file by whichever process they happen in."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_OPEN: dict[Path, int] = {}


class Stamp(NamedTuple):
    """When what happened to whom. `key` is the first eight digits of a deployment's id, or empty."""

    at_ns: int
    what: str
    key: str
    said: str


@dataclass(frozen=True, slots=True)
class Stamps:
    """Travels as the path of a folder; each process has a file of its own in it. A stamp costs some microseconds."""

    folder: Path

    def mark(self, what: str, key: object = "", said: object = "") -> None:
        line = f"{time.monotonic_ns()} {what} {key or '-'} {said or '-'}\n"
        path = self.folder / str(os.getpid())
        file = _OPEN.get(path)
        if file is None:
            file = _OPEN[path] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.write(file, line.encode())


@dataclass(slots=True)
class Reading:
    """All stamps of a folder so far. Asking again reads only what is new."""

    folder: Path
    all: list[Stamp] = field(default_factory=list)
    _read: dict[Path, int] = field(default_factory=dict)

    def more(self) -> list[Stamp]:
        """What is new, in the order of its happening."""
        found: list[Stamp] = []
        for path in self.folder.iterdir():
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            self._read[path] = self._read.get(path, 0) + len(whole)
            for line in whole.decode().splitlines():
                at_ns, what, key, said = line.split(" ")
                found.append(Stamp(int(at_ns), what, key[:8].removeprefix("-"), said))
        found.sort()
        self.all += found
        return found
