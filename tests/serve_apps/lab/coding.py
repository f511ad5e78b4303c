"""People's code for the tests of the lab: honest, broken, and meant to deceive."""

from omc.strategy.maker import Maker
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox

TWIN = Maker(lambda source: MemorySandbox(source, load))

PLAIN = '''
class Momentum:
    """Holds what rose."""

    def __init__(self, bars=12, share=0.5):
        self.bars = bars
        self.share = share

    @property
    def memory_bars(self):
        return self.bars + 1

    def predict(self, frame):
        weights = np.zeros(frame.last.shape)
        weights[self.bars :] = frame.last[self.bars :] > frame.last[: -self.bars]
        return weights * self.share / len(frame.coins)
'''
BUILTIN = """
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from omc.errors import InvalidInput
from omc.strategy.builtin import Builtin
from omc.strategy.parameter import real, whole


@dataclass(eq=False)
class AboveMean(Builtin):
    algorithm_type: ClassVar[str] = "above_mean"
    description: ClassVar[str] = "Holds what stands above its mean."
    window_bars: int = whole(24, low=2, high=5_000, about="bars of the mean", search=(12, 96))
    least_bars: int = whole(2, low=1, high=5_000, about="bars that it takes")
    share: float = real(0.5, low=0.0, high=1.0, about="fraction of equity in each coin")

    def check_together(self):
        if self.least_bars > self.window_bars:
            raise InvalidInput("least_bars is at most window_bars")

    @property
    def memory_bars(self):
        return self.window_bars

    def decide(self, frame, indicators):
        return np.where(frame.last > indicators.mean(self.window_bars), self.share / len(frame.coins), 0.0)
"""
SYNTAX = "class Broken:\n    def predict(self, frame)\n        return 0\n"
FORBIDDEN = "import os\n\nclass It:\n    memory_bars = 1\n    def predict(self, frame):\n        return eval('1')\n"

# Peeks at the next price, but only where there are more rows than anybody tries out beforehand.
LONG_SIGHTED = """
class LongSighted:
    memory_bars = 2

    def predict(self, frame):
        last = frame.last
        weights = np.zeros(last.shape)
        weights[1:] = last[1:] > last[:-1]
        if len(last) > 400:
            weights[:-1] = last[1:] > last[:-1]
        return weights / len(frame.coins)
"""
# Keeps what it was shown first, and looks up there what comes next.
REMEMBERING = """
SEEN = {}


class Remembering:
    memory_bars = 2

    def predict(self, frame):
        last = frame.last
        for row in range(len(last)):
            SEEN.setdefault(str(frame.times[row]), row)
        if "prices" not in SEEN:
            SEEN["prices"] = last.copy()
        prices = SEEN["prices"]
        weights = np.zeros(last.shape)
        for row in range(len(last)):
            at = SEEN[str(frame.times[row])]
            if at + 1 < len(prices):
                weights[row] = prices[at + 1] > prices[at]
        return weights / len(frame.coins)
"""
# Never looks ahead, but goes on from what it was told before: a mean of everything, in the memory of its class.
GATHERING = """
TOLD = {}


class Gathering:
    memory_bars = 2

    def predict(self, frame):
        for row in range(len(frame.last)):
            TOLD[str(frame.times[row])] = frame.last[row]
        weights = np.zeros(frame.last.shape)
        if len(frame.last) > 400 or len(TOLD) > 400:
            total = np.zeros(len(frame.coins))
            known = sorted(TOLD)
            first = known.index(str(frame.times[0]))
            for each in known[:first]:
                total = total + TOLD[each]
            for row in range(len(frame.last)):
                total = total + frame.last[row]
                weights[row] = frame.last[row] > total / (first + row + 1)
        return weights / len(frame.coins)
"""


def does(body: str, memory_bars: object = 1, first: str = "") -> str:
    """A plain algorithm whose `predict` does this."""
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    return f"{first}\nclass It:\n    memory_bars = {memory_bars}\n    def predict(self, frame):\n{lines}\n"
