"""Somebody's code is held like any other algorithm."""

import numpy as np
import pytest
from sklearn.base import clone

from omc.errors import CodeFailed, InvalidInput
from omc.feature.indicator import Indicators
from omc.strategy.macd import Macd
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from omc.strategy.sandboxed import SandboxedAlgorithm
from tests.omc.adapters.sandbox_process.plain import does, file_of, walk

# On its first use numpy imports what it computes a mean with, which code behind the first wall cannot.
np.zeros(1).mean()

FITTED = """
class Level:
    memory_bars = 1
    def __init__(self, scale=1.0, name="level", twice=False):
        self.scale, self.name, self.twice = scale, name, twice
        self.level = 0.0
    def fit(self, frame, labels=None):
        self.level = float(labels.mean()) * self.scale
        return self
    def predict(self, frame):
        print(self.name)
        return frame.last * 0.0 + self.level
"""


def held(source, **parameters):
    return SandboxedAlgorithm(MemorySandbox(source, load), parameters)


def test_it_has_the_parameters_that_the_code_has():
    algorithm = held(file_of(MovingAverageCrossover), fast_bars=5)
    assert algorithm.algorithm_type == "moving_average_crossover"
    assert algorithm.get_params() == MovingAverageCrossover(fast_bars=5).get_params()
    assert algorithm.parameters() == MovingAverageCrossover.parameters()
    assert (algorithm.fewest_coins, algorithm.most_coins, algorithm.memory_bars) == (1, None, 72)


def test_a_parameter_that_is_set_counts_from_the_next_decision_on():
    algorithm, frame = held(file_of(Macd)), walk(400, 2)
    for own in ({"fast_bars": 5, "slow_bars": 11}, {"stop_loss": 0.05}):
        if not own.keys() <= algorithm.get_params().keys():
            continue
        algorithm.set_params(**own)
        other = Macd(**algorithm.get_params())
        assert algorithm.predict(frame).tobytes() == other.predict(frame).tobytes()
        assert (algorithm.memory_bars, repr(algorithm.exits)) == (other.memory_bars, repr(other.exits))


@pytest.mark.parametrize("wrong", [{"fast_bars": 0}, {"fast_bars": 1.5}, {"fast_bars": "3"}, {"speed": 1}])
def test_a_refused_parameter_changes_nothing(wrong):
    algorithm = held(file_of(MovingAverageCrossover))
    before = algorithm.get_params()
    with pytest.raises(InvalidInput):
        algorithm.set_params(slow_bars=99, **wrong)
    assert algorithm.get_params() == before


def test_what_contradicts_itself_is_refused_when_it_is_asked():
    algorithm = held(file_of(MovingAverageCrossover), fast_bars=80)
    for ask in (algorithm.check_together, lambda: algorithm.memory_bars, lambda: algorithm.predict(walk(9, 1))):
        with pytest.raises(InvalidInput, match="must be less than"):
            ask()


def test_a_clone_has_its_parameters_and_is_not_fitted():
    algorithm, frame = held(FITTED, scale=0.5), walk(20, 1)
    assert algorithm.fit(frame, np.full((20, 1), 0.5)) is algorithm
    twin = clone(algorithm)
    assert twin.get_params() == algorithm.get_params() == {"scale": 0.5, "name": "level", "twice": False}
    assert (algorithm.predict(frame).max(), twin.predict(frame).max()) == (0.25, 0.0)
    twin.fit(frame, np.full((20, 1), 1.0))
    assert (algorithm.predict(frame).max(), twin.predict(frame).max()) == (0.25, 0.5)
    assert algorithm.begin(frame.rows(0, 5)).tolist() == [0.25]
    assert algorithm.of(scale=1.0).get_params()["scale"] == 1.0
    assert "level\n" in algorithm.printed


def test_set_parameters_forget_what_was_fitted():
    algorithm, frame = held(FITTED), walk(20, 1)
    algorithm.fit(frame, np.full((20, 1), 0.5)).set_params(scale=2.0)
    assert algorithm.predict(frame).max() == 0.0


def test_a_required_parameter_has_to_be_given():
    source = does("return frame.last * 0.0").replace(
        "    def predict", "    def __init__(self, level):\n        self.level = level\n    def predict"
    )
    with pytest.raises(InvalidInput, match="'level'"):
        held(source)
    assert held(source, level=3).get_params() == {"level": 3}


def test_shared_indicators_are_taken_for_what_they_are_of():
    algorithm, frame = held(file_of(MovingAverageCrossover)), walk(100, 1)
    assert (algorithm.decide(frame, Indicators(frame.last)) == algorithm.predict(frame)).all()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return frame.last", "outside 0 to 1"),
        ("return frame.last * np.nan", "not a finite number"),
        ("return frame.last * 0.0 + 0.6", "add up to more than 1"),
        ("x = frame.last[5_000]\nreturn x", r"IndexError: .* \(line 4 in predict\)"),
    ],
)
def test_what_cannot_be_used_is_named(body, said):
    with pytest.raises(CodeFailed, match=said):
        held(does(body)).predict(walk(10, 2))


def test_it_tells_what_processor_time_its_sandbox_has_used():
    busy = "class It:\n    memory_bars = 1\n    def predict(self, frame):\n"
    busy += "        n = 0\n        while n < 30_000: n += 1\n        return frame.last * 0.0\n"
    algorithm, frame = held(busy), walk(5, 1)
    before = algorithm.cpu_s
    algorithm.predict(frame)
    once = algorithm.cpu_s
    clone(algorithm).predict(frame)
    assert 0.0 < before < once < algorithm.cpu_s
