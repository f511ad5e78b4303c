"""Whole platforms, started as a person starts them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.boot import tree
from cluster.processes import started

ROOT = Path(__file__).parents[2]
# A short market: enough history for the slowest average, two days for the floor.
MARKET = {"OMC_SYNTHETIC_DAYS": "12", "OMC_OBJECT_STORE_MB": "100"}


def heed_interrupts() -> None:
    """A shell that runs tests in its background has interrupts ignored, and whatever it starts inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Up:
    """`omc up` on a home of its own, in lock-step, on free ports."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        through: Sequence[str] = (),
        plays: Sequence[str] = ("--lockstep", "--tape-days", "2"),
        **environment: str,
    ) -> None:
        """`through` is a command that runs another, and `plays` says what its own exchange does, if it has one."""
        self.home = home
        self.log = home.with_suffix(".log")
        command = [str(ROOT / ".venv/bin/omc"), "up", "--home", str(home), "--port", "0", "--dashboard-port", "0"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*through, *command, *plays, *arguments],
                env={**os.environ, **MARKET, **environment},
                stdout=log,
                stderr=log,
                cwd="/",
                preexec_fn=heed_interrupts,
            )

    def ready(self, within_s: float = 600.0) -> dict[str, object]:
        """What the platform wrote down once it was ready."""
        deadline = time.monotonic() + within_s
        while "\nready " not in "\n" + self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)
        return json.loads((self.home / "run" / "platform.json").read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(300)


@contextmanager
def running(home: Path, *arguments: str, through: Sequence[str] = (), **environment: str) -> Iterator[Up]:
    up = Up(home, *arguments, through=through, **environment)
    try:
        up.ready()
        yield up
    finally:
        up.stop()


def omc(home: Path, *arguments: str, code: int = 0) -> object:
    """A command with --json; what it said. Its exit code must be `code`."""
    done = subprocess.run(
        [str(ROOT / ".venv/bin/omc"), *arguments, "--json"],
        env={**os.environ, "OMC_HOME": str(home), "OMC_PASSWORD": "correct horse battery"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    if code:
        assert done.stderr.count("\n") == 1, done.stderr
    return json.loads(done.stdout)


def family(of: int) -> dict[int, int | None]:
    """A process and every one below it, and when each of them started: their numbers come round again."""
    return {pid: started(pid) for pid in tree(of)}


def living(those: dict[int, int | None]) -> list[int]:
    """Those that still run."""
    found = []
    for pid, since in those.items():
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if state != "Z" and since is not None and started(pid) == since:
            found.append(pid)
    return found
