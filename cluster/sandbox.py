"""The sandbox exchange of a running platform, and the history that precedes what it plays."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from cluster import processes
from cluster.home import Home
from cluster.wiring import Wiring
from omc.errors import Unavailable

_PATIENCE_S = 120.0


@dataclass(slots=True)
class Sandbox:
    """Runs as a process of its own, as a real exchange would; without one when the exchange is an external one."""

    home: Home
    wired: Wiring
    tape: dict[str, Any] = field(default_factory=dict)
    """What is played, once it is known; empty without a sandbox exchange."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _given_up: Event = field(default_factory=Event, init=False)

    @property
    def log(self) -> Path:
        return self.home.logs / "sandbox-exchange.log"

    @property
    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Import the history and open the exchange; return when it answers. Unavailable, in its own words, when it ends
        instead. The database is up by now."""
        if not self.wired.has_sandbox:
            return
        self._import_history()
        command = self.wired.sandbox_command(self.tape["history_bars"])
        self.log.unlink(missing_ok=True)
        self._process = processes.start([sys.executable, *command], self.log)
        self._wait(self._answers, self._process)

    def give_up(self) -> None:
        """Let whoever waits in `start` go."""
        self._given_up.set()

    def stop(self) -> None:
        if self._process is not None:
            processes.end([self._process.pid])

    def _import_history(self) -> None:
        """Bring what precedes the floor's part of the tape into the archive."""
        command = self.wired.history_command()
        said = self.home.logs / "history.log"
        said.unlink(missing_ok=True)
        importing = processes.start([sys.executable, *command], said)
        self._wait(lambda: importing.poll() == 0, importing, said)
        self.tape = json.loads(said.read_text().splitlines()[-1])

    def _wait(self, done: Callable[[], bool], process: subprocess.Popen[bytes], log: Path | None = None) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not done():
            if process.poll() not in (None, 0):
                raise Unavailable(_last_words(log or self.log))
            if self._given_up.wait(0.02) or time.monotonic() > deadline:
                raise Unavailable("the sandbox exchange was not ready in time")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.wired.exchange_url}/pubapi/v2/latest", timeout=5):  # noqa: S310
                return True
        except OSError:
            return False


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("omc: ") if lines else "the sandbox exchange ended without a word"
