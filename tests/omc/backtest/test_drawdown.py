"""How deep a curve fell, how long, and when that was made good."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest import drawdown

CURVE = np.array([100.0, 120.0, 90.0, 60.0, 80.0, 120.0, 110.0, 130.0, 117.0])


def test_the_deepest_fall_has_a_high_a_low_and_a_recovery():
    fall = drawdown.deepest(CURVE)
    assert (fall.depth, fall.peak, fall.trough, fall.recovered) == (-0.5, 1, 3, 5)
    assert (fall.length_bars, fall.recovery_bars) == (4, 2)
    assert drawdown.max_drawdown(CURVE) == -0.5


def test_a_fall_that_lasts_until_the_end_was_not_made_good():
    fall = drawdown.deepest(CURVE[:5])
    assert fall.recovered is None
    assert fall.length_bars == 3
    assert np.isnan(fall.recovery_bars)


def test_a_curve_that_never_fell_has_no_fall():
    assert drawdown.deepest(np.array([1.0, 1.0, 2.0])) is None
    assert drawdown.longest(np.array([1.0, 1.0, 2.0])) == 0
    assert drawdown.ulcer_index(np.array([1.0, 1.0, 2.0])) == 0
    assert np.isnan(drawdown.max_drawdown(np.array([])))
    assert np.isnan(drawdown.max_drawdown(np.array([2.0, np.nan, 1.0])))


def test_the_longest_fall_need_not_be_the_deepest():
    curve = np.array([100.0, 50.0, 100.0, 99.0, 99.0, 99.0, 101.0])
    assert drawdown.deepest(curve).length_bars == 2
    assert drawdown.longest(curve) == 4
    assert drawdown.longest(curve[:-1]) == 3


def test_the_ulcer_index_is_the_root_mean_square_of_the_falls():
    assert drawdown.ulcer_index(np.array([100.0, 80.0, 60.0, 100.0])) == pytest.approx(np.sqrt((0.04 + 0.16) / 4))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_all_ways_to_look_at_the_deepest_fall_agree(values):
    curve = np.array(values, float)
    fall = drawdown.deepest(curve)
    assert (fall.depth if fall else 0.0) == drawdown.max_drawdown(curve) == drawdown.underwater(curve).min()
    if fall:
        assert curve[fall.trough] / curve[fall.peak] - 1 == fall.depth
        assert drawdown.longest(curve) >= fall.length_bars
