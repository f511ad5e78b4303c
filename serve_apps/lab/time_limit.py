"""People's code that is tried out may take its time with one answer, but not with hundreds of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from omc.errors import DeadlineExceeded
from omc.strategy.maker import Maker
from omc.strategy.sandbox_port import Sandbox

_QUESTIONS = frozenset({"describe", "traits", "fit", "export", "restore", "predict", "predict_many", "begin", "decide"})


@dataclass(slots=True)
class TimeLimit:
    """Seconds from now, for all the questions of one trial together. `ran_out` once one was asked too late: whatever a
    trial makes of that, it is no answer of the code's."""

    limit_s: float
    ran_out: bool = field(default=False, init=False)
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.limit_s

    @property
    def said(self) -> str:
        return f"trying the code out took longer than {self.limit_s:g} s, and was given up"

    def check(self) -> None:
        """DeadlineExceeded when it is too late to ask."""
        if self.ran_out or time.monotonic() > self._until:
            self.ran_out = True
            raise DeadlineExceeded(self.said)


class Hurried:
    """A Sandbox that answers nothing more when the time is up, and whose copies do not either. They are opened as it
    was, so that whoever counts what is opened counts them, too."""

    def __init__(self, opening: Callable[[str], Sandbox], source: str, limit: TimeLimit) -> None:
        self._opening, self._source, self._limit = opening, source, limit
        self._sandbox = opening(source)

    def __getattr__(self, name: str) -> Any:
        if name in _QUESTIONS:
            self._limit.check()
        return getattr(self._sandbox, name)

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return type(self)(self._opening, self._source, self._limit)


def hurried(maker: Maker, limit: TimeLimit) -> Maker:
    """The same, whose sandboxes have this time, all of them together."""
    opening = maker.sandbox
    if opening is None:
        return maker
    return replace(maker, sandbox=lambda source: cast(Sandbox, Hurried(opening, source, limit)))
