"""One of many decisions is what it would be if it were the only one, whatever code keeps between two of them."""

from itertools import permutations

import numpy as np
import pytest

from omc.errors import CodeFailed
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from tests.omc.adapters.sandbox_process.plain import walk

# On its first use numpy imports what it computes a mean with, which code behind the first wall cannot.
np.zeros(1).mean()

COUNTS_IN_A_NAME = """
seen = []
class Counts:
    memory_bars = 1
    def __init__(self, bars=1):
        self.bars = bars
    def predict(self, frame):
        seen.append(self.bars)
        return np.full(frame.last.shape, 1.0 / (10.0 * len(seen)))
"""
DRAWS_AS_IT_GOES = """
import random
chance = np.random.default_rng(5)
class Draws:
    memory_bars = 1
    def __init__(self, bars=1):
        self.bars = bars
    def predict(self, frame):
        return np.full(frame.last.shape, chance.random() * random.random() / 4.0)
"""
SHARES_BY_A_KEY_THAT_SAYS_TOO_LITTLE = """
class Shares:
    memory_bars = 1
    def __init__(self, bars=1):
        self.bars = bars
    def predict(self, frame):
        return frame.indicators.shared("level", lambda: np.full(frame.last.shape, self.bars / 100.0))
"""
FITS_WITHOUT_A_SEED = """
from sklearn.ensemble import RandomForestRegressor
class Forest:
    memory_bars = 1
    def __init__(self, bars=1):
        self.bars = bars
    def predict(self, frame):
        prices = frame.last[:, :1]
        forest = RandomForestRegressor(n_estimators=3, n_jobs=1).fit(prices[:60], prices[self.bars:60 + self.bars, 0])
        level = forest.predict(prices) / prices.max() / 10.0
        return np.repeat(level[:, None], frame.last.shape[1], axis=1)
"""
KEEPS = {
    "a name": COUNTS_IN_A_NAME,
    "chance": DRAWS_AS_IT_GOES,
    "a shared array": SHARES_BY_A_KEY_THAT_SAYS_TOO_LITTLE,
    "a model's own chance": FITS_WITHOUT_A_SEED,
}


@pytest.mark.parametrize("source", KEEPS.values(), ids=KEEPS)
def test_each_of_many_is_decided_as_if_nothing_had_been_decided_before(source):
    frame, points = walk(120, 2), [{"bars": bars} for bars in (1, 2, 3)]
    alone = {}
    for point in points:
        with MemorySandbox(source, load) as fresh:
            (found,) = fresh.predict_many([point], frame)
            alone[point["bars"]] = found.weights.tobytes()
    with MemorySandbox(source, load) as shared:
        for order in permutations(points):
            shared.predict({}, frame)
            found = [each.weights.tobytes() for each in shared.predict_many(order, frame)]
            assert found == [alone[point["bars"]] for point in order]


def test_what_the_platform_computes_is_shared_by_many():
    source = """
class Mean:
    memory_bars = 5
    def __init__(self, bars=1):
        self.bars = bars
    def predict(self, frame):
        return (frame.last > frame.indicators.mean(5)) / len(frame.coins)
"""
    frame = walk(120, 2)
    with MemorySandbox(source, load) as sandbox:
        list(sandbox.predict_many([{"bars": 1}, {"bars": 2}], frame))
        assert sandbox._held is not None
        assert list(sandbox._held.indicators._kept) == [("mean", 5)]


def test_what_one_of_many_comes_to_is_its_own():
    source = """
class Picky:
    memory_bars = 1
    def __init__(self, bars=1):
        self.bars = bars
    def predict(self, frame):
        return frame.last * 0.0 + 0 // (2 - self.bars)
"""
    with MemorySandbox(source, load) as sandbox:
        first, second, third = sandbox.predict_many([{"bars": bars} for bars in (1, 2, 3)], walk(120, 2))
    assert isinstance(second, CodeFailed)
    assert "line 7 in predict" in str(second)
    assert not isinstance(first, CodeFailed)
    assert not isinstance(third, CodeFailed)
