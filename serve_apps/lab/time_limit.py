"""People's code that is tried out may take its time with one answer, but not with hundreds of them."""

import time
from typing import Any, cast

from omc.errors import DeadlineExceeded
from omc.feature.frame import Frame
from omc.strategy.description import Prediction
from omc.strategy.maker import Maker
from omc.strategy.sandbox_port import Parameters, Sandbox


class Hurried:
    """A Sandbox that decides nothing more after the moment `until`, and whose copies do not either."""

    def __init__(self, sandbox: Sandbox, limit_s: float, until: float) -> None:
        self._sandbox, self._limit_s, self._until = sandbox, limit_s, until

    def predict(self, parameters: Parameters, frame: Frame, model: int | None = None) -> Prediction:
        """DeadlineExceeded when it is too late to ask."""
        if time.monotonic() > self._until:
            raise DeadlineExceeded(f"trying the code out took longer than {self._limit_s:g} s, and was given up")
        return self._sandbox.predict(parameters, frame, model)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Hurried, (self._sandbox, self._limit_s, self._until)


def hurried(maker: Maker, limit_s: float) -> Maker:
    """The same, whose sandboxes have `limit_s` seconds from now, all of them together."""
    opening = maker.sandbox
    if opening is None:
        return maker
    until = time.monotonic() + limit_s

    def opened(source: str) -> Sandbox:
        return cast(Sandbox, Hurried(opening(source), limit_s, until))

    return Maker(opened, maker.why, maker.unsafe)
