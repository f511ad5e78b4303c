"""Sandboxes without walls: a fork of this process that serves code loaded by a plain `exec`, so that what the walls
keep from happening is tried on the protocol alone."""

import faulthandler
import inspect
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from omc.adapters.sandbox_process import serve
from omc.adapters.sandbox_process.child import Ended, cpu_s_of, is_busy
from omc.adapters.sandbox_process.process import SandboxProcess
from omc.adapters.sandbox_process.sandbox import Deadlines
from omc.feature.frame import Frame
from omc.strategy.builtin import Builtin
from omc.strategy.description import Description
from omc.strategy.user_fault import SOURCE

PATIENT = Deadlines(load_s=60.0, predict_s=60.0, decide_s=60.0)
"""For code that is to answer, on a machine that may be busy."""


class PlainFactory:
    """The class with a `predict` that code defines last, built-in or not."""

    def __init__(self, source: str, write: Callable[[str], Any]) -> None:
        self.anew = lambda: PlainFactory(source, write)
        space: dict[str, Any] = {"print": lambda *said: write(" ".join(map(str, said)) + "\n"), "__name__": "algorithm"}
        exec(compile(source, SOURCE, "exec"), space)
        defined = [it for it in space.values() if isinstance(it, type) and it.__module__ == "algorithm"]
        self._kind: Any = next(it for it in reversed(defined) if hasattr(it, "predict"))

    def describe(self) -> Description:
        kind = self._kind
        known = kind.parameters() if issubclass(kind, Builtin) else {}
        defaults = kind().get_params() if issubclass(kind, Builtin) else getattr(kind, "defaults", {})
        return Description(kind.__name__, kind.__doc__ or "", 1, None, defaults, known)

    def make(self, parameters: Any) -> Any:
        return self._kind.of(**parameters) if issubclass(self._kind, Builtin) else self._kind(**parameters)


class Fork:
    """A Child that this very process has forked."""

    def __init__(self, pid: int) -> None:
        self.pid, self._end = pid, None

    def kill(self) -> None:
        if self.ended(0.0) is None:
            os.kill(self.pid, signal.SIGKILL)

    def ended(self, within_s: float) -> Ended | None:
        until = time.monotonic() + within_s
        while self._end is None:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._end = Ended(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime)
            elif time.monotonic() > until:
                return None
            else:
                time.sleep(0.001)
        return self._end

    def cpu_s(self) -> float | None:
        return cpu_s_of(self.pid)

    def busy(self) -> bool:
        return is_busy(self.pid)

    def close(self) -> None:
        pass


def forked(serving: Callable[[int], Any]) -> SandboxProcess:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            # It crashes on purpose, at times.
            faulthandler.disable()
            ours.close()
            serving(theirs.detach())
            code = 0
        finally:
            os._exit(code)
    theirs.close()
    return SandboxProcess(ours, Fork(pid))


def spawned() -> SandboxProcess:
    return forked(lambda fd: serve.main(fd, PlainFactory))


def walk(rows: int, coins: int, seed: int = 3) -> Frame:
    generator = np.random.default_rng(seed)
    last = np.round(100 * np.exp(generator.normal(0, 0.01, (rows, coins)).cumsum(axis=0)), 8)
    times = np.datetime64("2025-01-01", "us") + np.arange(rows) * np.timedelta64(300, "s")
    names = tuple(f"C{at}" for at in range(coins))
    return Frame(times, names, np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)


EVEN = """
class Even:
    memory_bars = 2
    def __init__(self, part=1.0):
        self.part = part
    def predict(self, frame):
        import numpy as np
        return np.full(frame.last.shape, self.part / len(frame.coins))
"""
MOMENTUM = """
class Momentum:
    def __init__(self, bars=3):
        self.bars = bars
    @property
    def memory_bars(self):
        return self.bars + 1
    def predict(self, frame):
        import numpy as np
        wanted = np.zeros(frame.last.shape)
        wanted[self.bars:] = frame.last[self.bars:] > frame.last[:-self.bars]
        return wanted / len(frame.coins)
"""


def file_of(kind: type) -> str:
    """The file that a class is written in."""
    return Path(inspect.getfile(kind)).read_text()


def source_of(kind: type) -> str:
    """The same for `exec`: what that compiles has no place for a cache."""
    return file_of(kind).replace("cache=True, ", "")


def does(body: str, memory_bars: int = 1) -> str:
    """An algorithm whose `predict` does this."""
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    return f"class It:\n    memory_bars = {memory_bars}\n    def predict(self, frame):\n{lines}\n"
