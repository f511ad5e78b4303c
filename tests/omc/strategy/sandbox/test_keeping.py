"""Code that could keep something from one decision to the next is told from code that surely cannot."""

import ast
import inspect
from pathlib import Path

import pytest

from omc.strategy.registry import make as made
from omc.strategy.registry import templates
from omc.strategy.sandbox.keeping import keeps

CLASS = """
class A:
    memory_bars = 3

    def __init__(self, bars=3, share=-0.5):
        self.bars, self.held = bars, [bars]

    @property
    def double(self) -> int:
        return 2 * self.bars

    def predict(self, frame):
        self.held.append(1)
        return frame.last * 0.0
"""
KEEPS = {
    "a list of the module": "seen = []",
    "an object of the module": "class B:\n    pass\n\nb = B()",
    "chance of the module": "chance = np.random.default_rng(3)",
    "the chance of the library": "import random",
    "chance by name": "from random import gauss",
    "a list of the class": "class B:\n    seen = []",
    "a default": "def f(x, seen=[]):\n    return seen",
    "a default by keyword": "def f(x, *, seen={}):\n    return seen",
    "a default of a lambda": "f = lambda x, seen=[]: seen",
    "a global name": "n = 0\ndef f():\n    global n\n    n += 1",
    "a cache": "from functools import cache\n\n@cache\ndef f(x):\n    return [x]",
    "a maker that is not what it is called": "def field():\n    return []\n\nclass B:\n    seen = field()",
    "a maker by another's name": "from collections import deque as field\n\nclass B:\n    seen = field()",
    "a maker bound twice": "from dataclasses import field\nfrom heapq import merge as field\nclass B:\n    a = field()",
    "a decorator that is not what it is called": "def property(f):\n    return []\n\n@property\ndef a():\n    pass",
    "a decorator of another module": "import functools as numba\n\n@numba.njit\ndef f(x):\n    return x",
    "a comprehension": "seen = [x for x in (1, 2)]",
    "a statement": "for x in (1, 2):\n    pass",
    "a call in an annotation": "x: print(1) = 2",
    "a class's keyword": "from abc import ABC\n\nclass B(ABC, a=[]):\n    pass",
}
HARMLESS = {
    "numbers": "STEP = 3\nHALF = -1 / 2\nBOTH = (STEP, HALF)\nname: str = 'a'",
    "a function": "def f(x: float, y: int = 2) -> 'float | None':\n    seen = []\n    return seen",
    "fields": "from dataclasses import dataclass, field\n@dataclass(eq=False)\nclass B:\n    a: int = field(default=3)",
    "compiled": "from numba import njit\n\n@njit(cache=True)\ndef f(x):\n    return x",
    "a library's number": "import math\n\nTURN = 2 * math.pi",
}


@pytest.mark.parametrize("source", KEEPS.values(), ids=KEEPS)
def test_code_that_could_keep_something_is_known(source):
    assert keeps(ast.parse(source + "\n" + CLASS))


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_code_that_surely_cannot_is_known_too(source):
    assert not keeps(ast.parse(source + "\n" + CLASS))


@pytest.mark.parametrize("name", ["moving_average_crossover", "macd", "pairs", "mean_reversion", "logistic"])
def test_what_ships_with_the_platform_keeps_nothing(name):
    assert name in {each.algorithm_type for each in templates()}
    assert not keeps(ast.parse(Path(inspect.getfile(type(made(name, {})))).read_text()))
