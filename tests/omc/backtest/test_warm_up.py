"""How much of the past a feature needs."""

import numpy as np
import pytest

from omc.backtest.lookahead import Data
from omc.backtest.warm_up import warm_up
from omc.feature.frame import Frame
from omc.feature.indicator import rolling_mean


def market(rows: int) -> Data:
    last = np.round(100 * np.exp(np.random.default_rng(5).normal(0, 0.01, (rows, 2)).cumsum(axis=0)), 8)
    times = np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(300, "s")
    return Data(Frame(times, ("AAA", "BBB"), last, last, last))


DATA = market(2_500)


def exponential(data: Data, decay: float = 0.95) -> np.ndarray:
    values = data.frame.last[:, 0].copy()
    for t in range(1, len(values)):
        values[t] = decay * values[t - 1] + (1 - decay) * values[t]
    return values


@pytest.mark.parametrize("window", [1, 20, 33, 80, 700])
def test_a_rolling_mean_is_exact_from_its_window_on(window):
    found = warm_up(lambda data: rolling_mean(data.frame.last, window), DATA)
    assert (found.exact_from, found.near_from) == (window, window)


def test_a_recursive_average_comes_near():
    found = warm_up(lambda data: exponential(data), DATA)
    assert 20 < found.near_from < 300
    assert found.exact_from is None or found.exact_from > found.near_from
    assert found.differences[-1] < 1e-12 < found.differences[0]


def test_a_counter_of_rows_never_settles():
    found = warm_up(lambda data: np.arange(len(data), dtype=float), DATA)
    assert (found.exact_from, found.near_from) == (None, None)
    assert (found.differences > 0.5).all()


def test_a_feature_that_needs_more_than_there_is_has_no_warm_up():
    found = warm_up(lambda data: rolling_mean(data.frame.last, 1_500), DATA)
    assert found.exact_from is None
    assert np.isnan(found.values).all()


def test_lengths_beyond_the_data_are_left_out():
    found = warm_up(lambda data: rolling_mean(data.frame.last, 10), market(60), lengths=(20, 40, 80))
    assert found.lengths == (20, 40)
    assert found.exact_from == 10
    assert warm_up(lambda data: data.frame.last, market(5)).exact_from is None
