"""What one piece of work takes of the processor, wherever it computes."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from omc.strategy.maker import Maker
from omc.strategy.sandbox_port import Sandbox
from serve_apps.making import apart, ran_s

Answer = TypeVar("Answer")
Opening = Callable[[str], Sandbox]


class Meter:
    """Adds up processor time: of the sandboxes that its `maker` opens, those that died or never came up included, and,
    while it is `on`, of the threads of this process that algorithms are asked in."""

    def __init__(self, maker: Maker) -> None:
        self._sandboxes: list[Sandbox] = []
        self._ran_s: list[float] = []
        opening = maker.sandbox
        self.maker = maker if opening is None else replace(maker, sandbox=_Counted(opening, self._sandboxes))

    @property
    def cpu_s(self) -> float:
        """Seconds so far."""
        return sum(self._ran_s) + sum(sandbox.cpu_s for sandbox in self._sandboxes)

    @contextmanager
    def on(self) -> Iterator["Meter"]:
        before = ran_s.set(self._ran_s)
        try:
            yield self
        finally:
            ran_s.reset(before)

    async def run(self, work: Callable[..., Answer], *arguments: Any, within: Executor) -> Answer:
        """What `work` comes to in a thread of `within`."""
        with self.on():
            return await apart(partial(work, *arguments), within=within)


class _Counted:
    """Opens sandboxes, and remembers them for a meter; one that has travelled to another process only opens them."""

    def __init__(self, opening: Opening, opened: list[Sandbox]) -> None:
        self._opening, self._opened = opening, opened

    def __call__(self, source: str) -> Sandbox:
        sandbox = self._opening(source)
        self._opened.append(sandbox)
        return sandbox

    def __reduce__(self) -> tuple[Any, ...]:
        return _itself, (self._opening,)


def _itself(opening: Opening) -> Opening:
    return opening
