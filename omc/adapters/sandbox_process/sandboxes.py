"""Where sandboxes come from: settings that travel, and one zygote for all who meet at the same place."""

import os
import socket
import subprocess
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omc.adapters.sandbox_process.launch import COMMAND, Wanted, launch
from omc.adapters.sandbox_process.limits import Limits, Together
from omc.adapters.sandbox_process.meeting import Meeting
from omc.adapters.sandbox_process.nursery import Nursery
from omc.adapters.sandbox_process.process import SandboxProcess
from omc.adapters.sandbox_process.sandbox import Deadlines, ProcessSandbox
from omc.errors import Unavailable

_nurseries: dict[tuple[object, ...], Nursery] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """Inert until used: it travels to an actor as its settings, and starts there what it needs."""

    limits: Limits = field(default_factory=lambda: Limits(cpu_s=None))
    """Of each process. Deadlines end what computes for too long; CPU time would end a long sweep as well."""
    deadlines: Deadlines = field(default_factory=Deadlines)
    meeting: Path | None = None
    """A folder, closed to other users, in which the processes of a machine share one zygote: whichever needs it first
    starts it, and it ends soon after the last of them. Without it each process has one of its own, of some 200 MB."""
    together: Together = field(default_factory=Together)
    unsafe: bool = False
    """Run people's code even where a layer of the second wall is missing; every layer that works is set, and each that
    does not is logged. Never for other people's code and money."""
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
        """End every sandbox of these settings in this process, and the zygote unless others share it. Used again, it
        starts anew."""
        with _lock:
            nursery = _nurseries.pop(self._key, None)
        if nursery is not None:
            nursery.close()

    def spawn(self) -> SandboxProcess:
        """A process behind the second wall that has loaded nothing yet. Unavailable where no more may run."""
        wanted, nursery = Wanted(self.limits, self.together, self.unsafe), self._nursery()
        try:
            return nursery.spawn(wanted)
        except Unavailable:
            if not nursery.over:
                raise
            # It had ended between two uses; one that ends again is worth telling of.
            return self._nursery().spawn(wanted)

    @property
    def _key(self) -> tuple[object, ...]:
        return os.getpid(), self.command, self.meeting

    def _nursery(self) -> Nursery:
        with _lock:
            found = _nurseries.get(self._key)
            if found is None or found.over:
                if found is not None:
                    found.close()
                found = _nurseries[self._key] = self._joined() if self.meeting else Nursery(self._alone)
            return found

    def _alone(self) -> tuple[subprocess.Popen[bytes] | None, socket.socket]:
        return launch(self.command)

    def _joined(self) -> Nursery:
        place = Meeting(self.meeting or Path(), self.command)
        try:
            return Nursery(lambda: (None, place.join()))
        except Unavailable:
            # It may have been about to end when it was met, for nobody had been there for long.
            return Nursery(lambda: (None, place.join()))


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
