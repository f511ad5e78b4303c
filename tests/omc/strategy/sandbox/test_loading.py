"""Code becomes an algorithm: the platform's own source decides as it always did, anything else says what is wrong."""

import inspect
import sys

import numpy as np
import pytest

from omc.errors import InvalidInput
from omc.feature.indicator import Indicators
from omc.strategy import registry
from omc.strategy.sandbox import load

SHORT = {"lookback_bars": 32, "horizon_bars": 4, "train_bars": 100, "refit_bars": 50}
TYPES = [each.algorithm_type for each in registry.templates()]


def source_of(algorithm_type):
    return inspect.getsource(sys.modules[type(registry.make(algorithm_type, {})).__module__])


@pytest.mark.parametrize("algorithm_type", TYPES)
def test_a_built_in_algorithms_own_source_decides_the_same_to_the_bit(algorithm_type, prices):
    loaded, template = load(source_of(algorithm_type)), registry.make(algorithm_type, {})
    short = {name: value for name, value in SHORT.items() if name in template.get_params()}
    ours, theirs = loaded.make(short), registry.make(algorithm_type, short)
    assert ours.predict(prices).tobytes() == theirs.predict(prices).tobytes()
    shared = Indicators(prices.last)
    assert ours.decide(prices, shared).tobytes() == theirs.decide(prices, shared).tobytes()
    assert ours.memory_bars == theirs.memory_bars
    assert repr(ours.exits) == repr(theirs.exits)
    assert ours.get_params() == theirs.get_params()


@pytest.mark.parametrize("algorithm_type", TYPES)
def test_a_built_in_algorithms_own_source_describes_itself_the_same(algorithm_type):
    described = load(source_of(algorithm_type)).describe()
    template = next(each for each in registry.templates() if each.algorithm_type == algorithm_type)
    assert (described.algorithm_type, described.description) == (template.algorithm_type, template.description)
    assert dict(described.defaults) == dict(template.parameters)
    assert {name: each.about for name, each in described.parameters.items()} == dict(template.about)
    assert (described.fewest_coins, described.most_coins) == (template.fewest_coins, template.most_coins)


PLAIN = """
class Trend:
    '''Follows.'''
    def __init__(self, window=20, share=0.5):
        self.window = window
        self.share = share
    @property
    def memory_bars(self):
        return self.window
    def predict(self, frame):
        mean = frame.indicators.mean(self.window)
        return np.where(frame.last > mean, self.share, 0.0)
"""
FIELDS = """
from dataclasses import dataclass
@dataclass
class Trend:
    memory_bars: int = 5
    share: float = 0.25
    loud: bool = False
    def fit(self, frame, labels=None):
        self.seen = len(frame)
        return self
    def predict(self, frame):
        table = frame.data()
        if self.loud:
            print(table.shape, frame.data('TWO').columns.tolist(), frame.coins, frame.times[0], len(frame))
        return (table > table.rolling(self.memory_bars).mean()) * self.share
"""


def test_a_class_with_predict_is_an_algorithm(prices):
    loaded = load(PLAIN)
    described = loaded.describe()
    assert (described.algorithm_type, described.description) == ("Trend", "Follows.")
    assert dict(described.defaults) == {"window": 20, "share": 0.5}
    made = loaded.make({"window": 10})
    assert made.memory_bars == 10
    weights = made.predict(prices)
    assert weights.shape == prices.last.shape
    assert set(np.unique(weights)) == {0.0, 0.5}
    assert made.set_params(window=30).memory_bars == 30
    assert made.get_params() == {"window": 30, "share": 0.5}


def test_a_dataclass_is_one_too_and_sees_tables(prices):
    told = []
    made = load(FIELDS, told.append).make({"loud": True}).fit(prices)
    assert set(np.unique(made.predict(prices))) == {0.0, 0.25}
    assert "['bid', 'ask', 'last']" in "".join(told)


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"windows": 1}, "no parameter 'windows'; it has window, share"),
        ({"window": 1.5}, "window must be a whole number"),
        ({"window": True}, "window must be a whole number"),
        ({"share": "all"}, "share must be a number"),
        ({"window": [1]}, "window is a number, text"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(parameters, why):
    with pytest.raises(InvalidInput, match=why):
        load(PLAIN).make(parameters)


def test_a_parameter_without_a_default_is_asked_for(prices):
    source = "class A:\n  memory_bars = 1\n  def __init__(self, n): self.n = n\n  def predict(self, frame): return 1\n"
    loaded = load(source)
    assert loaded.describe().required == ("n",)
    with pytest.raises(InvalidInput, match="needs n"):
        loaded.make({})
    loaded.make({"n": 3})


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = 1", "defines no algorithm"),
        ("class A:\n  memory_bars = 3", "defines no algorithm"),
        ("class A:\n  def predict(self, frame): return 1", "A lacks memory_bars"),
        (PLAIN + PLAIN.replace("Trend", "Other"), "several algorithms, Other, Trend"),
        ("from omc.strategy.builtin import Builtin\nclass A(Builtin): pass", "A lacks decide, memory_bars"),
        ("x = 1 / 0", "line 1: ZeroDivisionError"),
        ("def f():\n  return {}['a']\nf()", "line 2: KeyError"),
        ("x = 1\nx.real = 2", "line 2: real of int cannot be written to"),
        ("def f():\n  f()\nf()", "RecursionError"),
        (PLAIN.replace("window=20", "window=[]"), "default of window"),
        (PLAIN.replace("share=0.5", "**share"), "without stars"),
    ],
)
def test_code_that_is_no_algorithm_says_what_is_missing(source, why):
    with pytest.raises(InvalidInput, match=why):
        load(source)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("None", "not a NoneType"),
        ("[[1.0]]", "not a list"),
        ("frame.last[:-1]", "one row a bar"),
        ("np.array(['a'])", "array of numbers"),
    ],
)
def test_an_answer_that_is_no_weights_is_refused(prices, answer, why):
    made = load(f"class A:\n  memory_bars = 1\n  def predict(self, frame): return {answer}").make({})
    with pytest.raises(InvalidInput, match=why):
        made.predict(prices)


@pytest.mark.parametrize("bars", ["0", "-1", "1.5", "True", "'a'", "10 ** 9", "None"])
def test_memory_is_a_whole_number_of_bars(bars):
    made = load(f"class A:\n  memory_bars = {bars}\n  def predict(self, frame): return 1").make({})
    with pytest.raises(InvalidInput, match="memory_bars"):
        _ = made.memory_bars


def test_a_part_that_others_inherit_from_is_not_a_second_algorithm(prices):
    source = (
        PLAIN
        + "\nclass Faster(Trend):\n  def __init__(self, window=5):\n    self.window = window\n    self.share = 1.0\n"
    )
    assert load(source).describe().algorithm_type == "Faster"


def test_prices_cannot_be_written_to(prices):
    made = load("class A:\n  memory_bars = 1\n  def predict(self, frame):\n    frame.last[0] = 1.0").make({})
    before = prices.last.copy()
    with pytest.raises(ValueError, match="read-only"):
        made.predict(prices)
    np.testing.assert_array_equal(before, prices.last)


def test_coins_that_it_cannot_decide_on_are_refused(prices):
    made = load(PLAIN.replace("def __init__", "fewest_coins = 3\n    def __init__")).make({})
    with pytest.raises(InvalidInput, match="at least 3 coins, not 2"):
        made.predict(prices)
