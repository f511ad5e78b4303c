"""People's code that is tried out may take its time with one answer, but not with hundreds of them."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self, cast

from omc.errors import DeadlineExceeded
from omc.feature.frame import Frame
from omc.strategy.description import Prediction
from omc.strategy.maker import Maker
from omc.strategy.sandbox_port import Parameters, Sandbox


class Hurried:
    """A Sandbox that decides nothing more after the moment `until`, and whose copies do not either. They are opened as
    it was, so that whoever counts what is opened counts them, too."""

    def __init__(self, opening: Callable[[str], Sandbox], source: str, limit_s: float, until: float) -> None:
        self._opening, self._source, self._limit_s, self._until = opening, source, limit_s, until
        self._sandbox = opening(source)

    def predict(self, parameters: Parameters, frame: Frame, model: int | None = None) -> Prediction:
        """DeadlineExceeded when it is too late to ask."""
        if time.monotonic() > self._until:
            raise DeadlineExceeded(f"trying the code out took longer than {self._limit_s:g} s, and was given up")
        return self._sandbox.predict(parameters, frame, model)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return type(self)(self._opening, self._source, self._limit_s, self._until)


def hurried(maker: Maker, limit_s: float) -> Maker:
    """The same, whose sandboxes have `limit_s` seconds from now, all of them together."""
    opening = maker.sandbox
    if opening is None:
        return maker
    until = time.monotonic() + limit_s
    return replace(maker, sandbox=lambda source: cast(Sandbox, Hurried(opening, source, limit_s, until)))
