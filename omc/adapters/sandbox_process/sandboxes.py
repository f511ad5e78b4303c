"""Where sandboxes come from: settings that travel, and one zygote in each process that uses them."""

import os
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from omc.adapters.sandbox_process.launch import COMMAND, launch
from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.nursery import Nursery
from omc.adapters.sandbox_process.process import SandboxProcess
from omc.adapters.sandbox_process.sandbox import Deadlines, ProcessSandbox
from omc.errors import Unavailable

_nurseries: dict[tuple[int, tuple[str, ...]], Nursery] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """Inert until used: it travels to an actor as its settings, and starts there what it needs."""

    limits: Limits = field(default_factory=lambda: Limits(cpu_s=None))
    """Of each process. Deadlines end what computes for too long; CPU time would end a long sweep as well."""
    deadlines: Deadlines = field(default_factory=Deadlines)
    command: tuple[str, ...] = COMMAND

    def of(self, source: str, *, limits: Limits | None = None, deadlines: Deadlines | None = None) -> "OpenSandbox":
        """A sandbox for this code, inert until it is asked."""
        return OpenSandbox(replace(self, limits=limits or self.limits, deadlines=deadlines or self.deadlines), source)

    def open(self, source: str) -> tuple[SandboxProcess, dict[str, Any]]:
        """A process that has loaded this code, and what it says of it."""
        process = self.spawn()
        try:
            return process, process.load(source, deadline_s=self.deadlines.load_s)
        except BaseException:
            process.close()
            raise

    def start(self) -> None:
        """Have the zygote ready before anything is asked; it takes seconds."""
        self._nursery()

    def close(self) -> None:
        """End the zygote, and every sandbox of these settings with it. Used again, it starts anew."""
        with _lock:
            nursery = _nurseries.pop((os.getpid(), self.command), None)
        if nursery is not None:
            nursery.close()

    def spawn(self) -> SandboxProcess:
        """A process behind the second wall that has loaded nothing yet."""
        try:
            return self._nursery().spawn(self.limits)
        except Unavailable:
            # It may have ended between two uses; one that ends again is worth telling of.
            return self._nursery().spawn(self.limits)

    def _nursery(self) -> Nursery:
        key = os.getpid(), self.command
        with _lock:
            found = _nurseries.get(key)
            if found is None or found.over:
                if found is not None:
                    found.close()
                found = _nurseries[key] = Nursery(lambda: launch(self.command))
            return found


def end_all() -> None:
    """End every zygote of this process, and every sandbox with it. Used again, they start anew."""
    with _lock:
        ended = [_nurseries.pop(key) for key in list(_nurseries) if key[0] == os.getpid()]
    for nursery in ended:
        nursery.close()


class OpenSandbox(ProcessSandbox):
    """A ProcessSandbox that travels: as its settings and its source, without its process."""

    def __init__(self, sandboxes: Sandboxes, source: str) -> None:
        super().__init__(sandboxes.spawn, source, sandboxes.deadlines)
        self._sandboxes, self._source = sandboxes, source

    def __reduce__(self) -> tuple[Any, ...]:
        return OpenSandbox, (self._sandboxes, self._source)
