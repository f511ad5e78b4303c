"""The platform's classes that code may inherit from: the same, but they look at what they are handed.

Their methods end in compiled code, which trusts the shapes that it is given, and code may call them with anything.
"""

from abc import ABC
from typing import Any

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.strategy import builtin, model
from omc.strategy.sandbox.seen_frame import SeenFrame


def the_frame(value: Any) -> Frame:
    """InvalidInput for anything that only looks like one."""
    if type(value) not in (Frame, SeenFrame):
        raise InvalidInput("this needs the frame that was handed in")
    return value


def the_indicators(value: Any) -> Indicators:
    if type(value) is not Indicators:
        raise InvalidInput("this needs the indicators that were handed in")
    return value


class Builtin(builtin.Builtin, ABC):
    """`omc.strategy.builtin.Builtin`."""

    def predict(self, frame: Frame) -> FloatArray:
        return super().predict(the_frame(frame))


class Fitted(model.Fitted, ABC):
    """`omc.strategy.model.Fitted`."""

    def predict(self, frame: Frame) -> FloatArray:
        return super().predict(the_frame(frame))

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        return super().decide(the_frame(frame), the_indicators(indicators))


PLATFORM: tuple[type, ...] = (Builtin, Fitted, builtin.Builtin, model.Fitted)
