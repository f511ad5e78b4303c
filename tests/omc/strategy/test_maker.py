"""Whatever is stored of an algorithm, it is made from in one way."""

from functools import partial

import pytest

from omc.errors import InvalidInput
from omc.strategy.maker import Maker
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from omc.strategy.sandboxed import SandboxedAlgorithm
from tests.omc.adapters.sandbox_process.plain import file_of

MAKER = Maker(partial(MemorySandbox, load=load))
SOURCE = file_of(MovingAverageCrossover)


def test_what_ships_with_the_platform_is_made_by_its_type():
    made = MAKER.of(None)("moving_average_crossover", {"fast_bars": 3})
    assert isinstance(made, MovingAverageCrossover)
    assert made.fast_bars == 3


def test_code_is_made_behind_its_walls():
    made = MAKER.of(SOURCE)("custom", {"fast_bars": 3})
    assert isinstance(made, SandboxedAlgorithm)
    assert made.get_params() == MovingAverageCrossover(fast_bars=3).get_params()
    made.close()


@pytest.mark.parametrize(
    ("algorithm_type", "code", "reason"),
    [
        ("custom", None, "none was given"),
        ("moving_average_crossover", SOURCE, "has the algorithm type 'custom'"),
        ("custom", "import os", "os"),
    ],
)
def test_what_does_not_fit_together_is_refused(algorithm_type, code, reason):
    with pytest.raises(InvalidInput, match=reason):
        MAKER.make(algorithm_type, {}, code)


@pytest.mark.parametrize(("algorithm_type", "code"), [("custom", None), ("custom", SOURCE), ("macd", SOURCE)])
def test_without_a_sandbox_code_is_refused_with_the_reason(algorithm_type, code):
    with pytest.raises(InvalidInput, match="cannot run: no kernel"):
        Maker(why="no kernel for it").make(algorithm_type, {}, code)


def test_a_sandbox_whose_parameters_are_refused_is_closed():
    opened = []

    def opening(source: str) -> MemorySandbox:
        opened.append(MemorySandbox(source, load))
        return opened[-1]

    with pytest.raises(InvalidInput, match="no parameter 'speed'"):
        Maker(opening).make("custom", {"speed": 1}, SOURCE)
    assert "_bench" not in opened[0].__dict__
