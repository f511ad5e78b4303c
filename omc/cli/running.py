"""Which platform runs on a home, by the record that it keeps there."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from omc.cli.outcome import Failure


def record(home: Path) -> dict[str, Any] | None:
    """What the running platform wrote down; None when none runs."""
    try:
        written = json.loads((home / "run" / "platform.json").read_text())
        alive = _started(written["pid"]) == written["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return written if alive else None


def url(home: Path) -> str | None:
    found = record(home)
    return found["url"] if found else None


def stop(home: Path, timeout_s: float = 60.0) -> int | None:
    """Ask the platform of `home` to stop and wait until it has; its process id, or None when none ran."""
    found = record(home)
    if found is None:
        return None
    pid = int(found["pid"])
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while _started(pid) == found["started"]:
        if time.monotonic() > deadline:
            raise Failure(f"the platform (process {pid}) has not stopped within {timeout_s:.0f} s")
        time.sleep(0.1)
    return pid


def _started(pid: int) -> int | None:
    """When a process started, in the kernel's ticks: with the id it names one process, for ids come round again."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(rest[18])
