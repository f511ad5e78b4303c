"""Algorithms that cheat are found out; those that ship do not."""

import numpy as np
import pytest

from omc.feature.frame import FloatArray, Frame
from omc.promotion.contract import findings
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.registry import make, templates


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
