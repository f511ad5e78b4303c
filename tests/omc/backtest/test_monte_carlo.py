"""What else the same trades could have come to."""

import numpy as np
import pytest

from omc.backtest.monte_carlo import gains_of_equity, monte_carlo
from omc.errors import InvalidInput

GAINS = np.random.default_rng(2).normal(0.002, 0.02, 120)


def test_the_same_seed_gives_the_same_intervals():
    assert monte_carlo(GAINS, seed=4) == monte_carlo(GAINS, seed=4)
    assert monte_carlo(GAINS, seed=4) != monte_carlo(GAINS, seed=5)


def test_what_happened_lies_inside_what_could_have():
    found = monte_carlo(GAINS, confidence=0.98)
    final = np.prod(1 + GAINS) - 1
    curve = np.cumprod(np.append(1.0, 1 + GAINS))
    depth = (curve / np.maximum.accumulate(curve) - 1).min()
    assert found.final_return.low < final < found.final_return.high
    for fall in (found.max_drawdown, found.shuffled_drawdown):
        assert fall.low < fall.median < fall.high <= 0
        assert fall.low <= depth <= fall.high
    assert 0 < found.probability_of_loss < 1


def test_more_confidence_is_a_wider_interval():
    narrow, wide = (monte_carlo(GAINS, confidence=each).final_return for each in (0.5, 0.95))
    assert wide.low < narrow.low < narrow.median < narrow.high < wide.high


def test_trades_that_are_all_alike_leave_nothing_to_chance():
    found = monte_carlo(np.full(10, 0.01))
    assert found.final_return.low == found.final_return.high == pytest.approx(1.01**10 - 1)
    assert found.max_drawdown.low == 0


def test_who_loses_everything_stays_ruined():
    found = monte_carlo(np.array([-1.5, -1.5]))
    assert found.final_return.median == -1
    assert found.max_drawdown.median == -1


def test_one_trade_has_no_other_order():
    assert monte_carlo(np.array([0.1])) is None


@pytest.mark.parametrize("asked", [{"confidence": 1.0}, {"runs": 0}, {"runs": 1_000_000}])
def test_what_cannot_be_drawn_is_refused(asked):
    with pytest.raises(InvalidInput):
        monte_carlo(GAINS, **asked)


def test_a_gain_is_a_fraction_of_all_that_there_was():
    assert gains_of_equity(np.array([5.0, 1.0]), np.array([100.0, 0.0])).tolist() == [0.05, 0.0]


@pytest.mark.parametrize("gain", [np.nan, np.inf, -np.inf])
def test_a_gain_that_is_no_number_is_refused(gain):
    with pytest.raises(InvalidInput, match="finite"):
        monte_carlo(np.array([0.1, gain, 0.2]))


def test_gains_beyond_all_measure_stay_numbers():
    found = monte_carlo(np.full(5, 1e200))
    assert np.isfinite([found.final_return.low, found.final_return.high, found.max_drawdown.low]).all()
