"""Algorithms that cheat are found out; those that ship do not."""

import numpy as np
import pytest

from omc.feature.frame import FloatArray, Frame
from omc.promotion.contract import coins_for, findings
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.registry import make, templates
from omc.strategy.sandboxed import SandboxedAlgorithm
from tests.serve_apps.lab.coding import TWIN, does


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.algorithm_type)
def test_what_ships_keeps_the_contract(template):
    assert findings(make(template.algorithm_type, template.parameters)) == []


class Forgets(MovingAverageCrossover):
    @property
    def memory_bars(self) -> int:
        return self.slow_bars - 1


class Borrows(MovingAverageCrossover):
    def predict(self, frame: Frame) -> FloatArray:
        return super().predict(frame) * 2


class Guesses(MovingAverageCrossover):
    def predict(self, frame: Frame) -> FloatArray:
        return np.full(frame.last.shape, 0.1)


@pytest.mark.parametrize(
    ("kind", "finding"),
    [(Forgets, "memory_bars"), (Borrows, "predict: "), (Guesses, "without a quote")],
)
def test_what_breaks_it_is_named(kind, finding):
    assert any(finding in each for each in findings(kind(5, 20)))


def of(body: str, **change: object) -> SandboxedAlgorithm:
    code = does(body)
    for name, value in change.items():
        code = code.replace("    memory_bars", f"    {name} = {value}\n    memory_bars")
    made = TWIN.of(code)("custom", {})
    assert isinstance(made, SandboxedAlgorithm)
    return made


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("raise ValueError('no')", "predict: ValueError: no (line 5 in predict)"),
        (
            "if len(frame.last) < 2:\n    raise ValueError('few')\nreturn np.zeros(frame.last.shape)",
            "predict, with 1 rows",
        ),
        ("return np.zeros((1, 1))", "predict: "),
    ],
)
def test_code_that_fails_is_named_with_its_line(body, finding):
    (found,) = findings(of(body))
    assert finding in found


def test_coins_are_as_many_as_it_decides_on():
    assert coins_for(of("return 0", fewest_coins=5)) == ("AAA", "BBB", "CCC", "C003", "C004")
    assert coins_for(of("return 0", fewest_coins=2, most_coins=2)) == ("AAA", "BBB")
    assert coins_for(of("return 0")) == ("AAA", "BBB", "CCC")
    assert coins_for(of("return 0", fewest_coins=2), ("BTC",)) == ("BTC",)
    assert (
        len(coins_for(of("return 0", fewest_coins=100))) == len(set(coins_for(of("return 0", fewest_coins=100)))) == 100
    )
    (found,) = findings(of("return 0", fewest_coins=101))
    assert "no fewer than 101 coins: at most 100 are traded" in found


def test_what_remembers_more_than_can_be_tried_out_is_not_tried():
    (found,) = findings(TWIN.of(does("return 0", memory_bars=1_000_001))("custom", {}))
    assert found == "memory_bars is 1,000,001: with 3 coins at most 1,000,000 can be tried out"
