"""What the processes of a sweep take while it runs."""

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Self

from bench.boot import name, pss_mb, tree

_WORKERS = ("PointTrial", "ResourceTrainable", "ImplicitFunc")
_SANDBOXES = "zygotes and sandboxes"


class Memory:
    """The largest PSS, in MB, that each kind of process has had together: those below one process, and what sandboxes
    are forked from, which is nobody's child. Looked at twice a second."""

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid or os.getpid()
        self.most: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            now: Counter[str] = Counter()
            below = set(tree(self._pid))
            for pid in (int(each.name) for each in Path("/proc").glob("[0-9]*")):
                kind = _kind(name(pid))
                if kind and (pid in below or kind == _SANDBOXES):
                    now[kind] += round(pss_mb(pid))
            for kind, mb in now.items():
                self.most[kind] = max(self.most[kind], mb)


def _kind(process: str) -> str | None:
    if any(each in process for each in _WORKERS):
        return "workers"
    if "sweep_job" in process:
        return "driver"
    return _SANDBOXES if "sandbox_process.zygote" in process else None
