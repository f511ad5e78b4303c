"""What a killed server leaves behind, and how it is cleared so that the next one can start.

PostgreSQL reads a process id from `postmaster.pid` and refuses to start while any process has it: one not yet reaped by
its parent, or a stranger that got the same number. Its workers, too, may outlive a killed postmaster for a moment.
Whoever calls this holds the lock of the home, so every server found in the data folder is such a leftover.
"""

import os
import signal
import time
from pathlib import Path

from omc.errors import Unavailable

_PROC = Path("/proc")
_HARDER = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)


def clear(data: Path, patience_s: float = 20.0) -> None:
    """End the servers that work in `data` and forget their lock file. Unavailable when one does not go."""
    started = time.monotonic()
    asked: dict[int, signal.Signals] = {}
    while pids := _servers_in(data):
        waited = time.monotonic() - started
        if waited > patience_s:
            raise Unavailable(f"an earlier database server (process {min(pids)}) does not end: stop it first")
        # Gently first: a postmaster that is interrupted writes everything out, so that no recovery is needed.
        how = _HARDER[min(int(4 * waited / patience_s), len(_HARDER) - 1)]
        for pid in pids:
            if asked.get(pid) != how:
                asked[pid] = how
                _tell(pid, how)
        time.sleep(0.02)
    pid_file = data / "postmaster.pid"
    if (holder := postmaster(data)) is not None and _exists(holder):
        if _is_server(holder) and not _readable(holder):
            raise Unavailable(f"a database server (process {holder}) may still be using {data}: stop it first")
        pid_file.unlink(missing_ok=True)


def postmaster(data: Path) -> int | None:
    """The process id that the server in `data` wrote down, running or not."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _servers_in(data: Path) -> list[int]:
    try:
        home = data.stat()
    except OSError:
        return []
    return [int(each.name) for each in _PROC.glob("[0-9]*") if _works_in(each, home) and _is_server(int(each.name))]


def _works_in(process: Path, folder: os.stat_result) -> bool:
    try:
        return os.path.samestat((process / "cwd").stat(), folder)
    except OSError:
        return False


def _is_server(pid: int) -> bool:
    try:
        return (_PROC / str(pid) / "comm").read_text().strip().startswith("postgres")
    except OSError:
        return False


def _readable(pid: int) -> bool:
    """Whether we may see where the process works, or nothing is left of it to see."""
    try:
        (_PROC / str(pid) / "cwd").stat()
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tell(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Unavailable(f"an earlier database server (process {pid}) is another user's: stop it first") from error
