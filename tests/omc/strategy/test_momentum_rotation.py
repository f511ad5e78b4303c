"""Rotation holds the best of a ranking until the next one."""

import numpy as np
import pytest

from omc.strategy.momentum_rotation import MomentumRotation

NAN = float("nan")
RISING, FALLING, FLAT = [1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1], [5] * 8


def test_it_ranks_at_multiples_of_its_period_and_holds_until_the_next(tape):
    prices = tape([1, 2, 3, 4, 3, 2, 1, 1], [9, 8, 7, 6, 7, 8, 9, 10])
    weights = MomentumRotation(lookback_bars=1, top=1, rebalance_bars=3).predict(prices)
    # Midnight is a multiple of 15 minutes, but nobody can tell from the first row that it is the first of its period.
    assert weights.tolist() == [[0, 0]] * 3 + [[1, 0]] * 3 + [[0, 1]] * 2


def test_places_that_no_coin_earned_stay_in_cash(tape):
    weights = MomentumRotation(lookback_bars=2, top=2, rebalance_bars=1, exposure=0.8).predict(
        tape(RISING, FALLING, FLAT)
    )
    assert weights[2:].tolist() == [[0.4, 0, 0]] * 6


def test_a_coin_without_a_return_is_not_ranked_and_one_without_a_quote_not_held(tape):
    prices = tape([1, 2, 3, NAN, 5, 6, 7, 8], RISING)
    weights = MomentumRotation(lookback_bars=1, top=1, rebalance_bars=1).predict(prices)
    assert weights[2:].tolist() == [[1, 0]] + [[0, 1]] * 2 + [[1, 0]] * 3


def test_calmer_coins_get_more_when_volatility_weighs(tape):
    calm, wild = [100, 101, 103, 104, 106], [100, 110, 111, 125, 130]
    weights = MomentumRotation(lookback_bars=2, top=2, rebalance_bars=1, volatility_bars=4).predict(tape(calm, wild))
    spreads = [np.std(np.diff(each) / each[:-1]) for each in (calm, wild)]
    assert weights[-1] == pytest.approx((1 / np.array(spreads)) / (1 / np.array(spreads)).sum())
