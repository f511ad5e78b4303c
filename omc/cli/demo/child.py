"""A platform that runs for as long as a command does."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from omc.cli import running, start
from omc.cli.options import command_line
from omc.cli.outcome import ExitCode, Failure

# What a demo writes down first; the home of a platform that was started otherwise has none.
_LOG = "boot.log"


def emptied(home: Path) -> None:
    """Make `home` an empty folder, if it was an earlier demo's or nothing yet; anything else is left as it is."""
    if running.record(home):
        raise Failure(f"a platform runs on {home}: stop it with `omc down --home {home}`", ExitCode.REFUSED)
    if home.exists():
        if not home.is_dir() or (any(home.iterdir()) and not (home / _LOG).exists()):
            raise Failure(f"{home} holds something that no demo made: choose another", ExitCode.REFUSED)
        shutil.rmtree(home)
    try:
        home.mkdir(mode=0o700, parents=True)
    except OSError as fault:
        raise Failure(f"the home {home} cannot be written: {fault.strerror}") from None


class PlatformProcess:
    """Started on entering, stopped on leaving; it stops by itself when we are killed."""

    def __init__(
        self, home: Path, *, port: int, tape: list[Path], days: int | None, allow_unsafe_sandbox: bool = False
    ) -> None:
        self.home = home
        self.boot_s = 0.0
        self.log = home / _LOG
        self._arguments = command_line(
            home=home,
            port=port,
            dashboard_port=0,
            tape=tape,
            tape_days=days,
            lockstep=True,
            allow_unsafe_sandbox=allow_unsafe_sandbox,
            with_parent=os.getpid(),
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        began = time.monotonic()
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C at the terminal is for us, who stop it in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                start.command("cluster.up", self._arguments),
                env=start.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            while "\nready " not in f"\n{self.log.read_text()}":
                self.check()
                time.sleep(0.05)
        except BaseException:
            self._stop()
            raise
        self.boot_s = time.monotonic() - began
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def check(self) -> None:
        """A Failure with the platform's own words when it has ended."""
        if self._process is not None and self._process.poll() is not None:
            said = self.log.read_text(errors="replace").strip().splitlines() or ["it ended without a word"]
            raise Failure(said[-1].removeprefix("omc: "))

    def _stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        former = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._process.terminate()
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
        finally:
            signal.signal(signal.SIGINT, former)
