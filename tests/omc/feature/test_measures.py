"""Measures of one coin, beside pandas and by hand."""

from datetime import timedelta
from math import isnan, nan, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.feature.measures import correlation, gain, log_returns, mean, samples, spread_bps, volatility

NOON = np.datetime64("2025-06-01T12:00", "us")
HOUR = timedelta(hours=1)
PRICES = st.lists(st.floats(0.5, 1e5) | st.just(nan), min_size=1, max_size=200)


def five_minutes(count: int) -> np.ndarray:
    """Times that end at noon."""
    return NOON - np.arange(count - 1, -1, -1) * np.timedelta64(5, "m")


def test_samples_are_the_newest_prices_of_their_steps():
    times = np.array([NOON - np.timedelta64(minutes, "m") for minutes in (150, 121, 61, 55, 3)])
    price = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    np.testing.assert_array_equal(samples(times, price, NOON, HOUR, 4), [nan, 2.0, 3.0, 5.0])


@given(PRICES, st.integers(1, 12))
def test_a_sample_never_knows_what_came_later(prices, back):
    times, price = five_minutes(len(prices)), np.array(prices)
    until = NOON - np.timedelta64(5 * back, "m")
    kept = times <= until
    whole = samples(times, price, until, HOUR, 6)
    np.testing.assert_array_equal(whole, samples(times[kept], price[kept], until, HOUR, 6))


def test_a_gain_is_of_now_and_of_then_and_of_nothing_that_is_older_than_a_24th():
    times = five_minutes(300)
    price = np.linspace(100, 130, 300)
    assert gain(times, price, NOON, timedelta(days=1)) == pytest.approx(130 / price[300 - 289] - 1)
    assert isnan(gain(times, price, NOON, timedelta(days=2)))
    price[:12] = nan
    assert isnan(gain(times, price, NOON, timedelta(days=1)))
    assert gain(times, price, NOON, HOUR) == pytest.approx(130 / price[-13] - 1)


@given(PRICES)
def test_volatility_is_what_pandas_says_where_half_is_there(prices):
    returns = log_returns(np.array(prices))
    known = pd.Series(returns).dropna()
    found = volatility(returns, HOUR)
    if len(known) < 2 or 2 * len(known) < len(returns):
        assert isnan(found)
    else:
        assert found == pytest.approx(known.std() * sqrt(365 * 24), rel=1e-9, abs=1e-12)


@given(st.lists(st.tuples(st.floats(-0.2, 0.2) | st.just(nan), st.floats(-0.2, 0.2)), max_size=60))
def test_correlation_is_within_its_bounds_symmetric_and_what_pandas_says(pairs):
    left, right = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    found = correlation(left, right)
    assert found == correlation(right, left) or isnan(found)
    if not isnan(found):
        assert -1 <= found <= 1
        both = ~np.isnan(left)
        if left[both].std() > 1e-4 and right[both].std() > 1e-4:
            assert found == pytest.approx(pd.Series(left).corr(pd.Series(right)), abs=1e-6)


def test_what_moves_alike_correlates_and_what_stands_still_does_not():
    steps = np.array([0.1, -0.2, 0.05, 0.3])
    assert correlation(steps, 2 * steps) == pytest.approx(1)
    assert correlation(steps, -steps) == pytest.approx(-1)
    assert isnan(correlation(steps, np.full(4, 0.01)))
    assert isnan(correlation(np.array([]), np.array([])))


def test_means_and_spreads():
    assert mean(np.array([1.0, nan, 3.0, 5.0])) == 3.0
    assert isnan(mean(np.array([1.0, nan, nan])))
    assert isnan(mean(np.array([])))
    np.testing.assert_allclose(spread_bps(np.array([99.0, nan]), np.array([101.0, 1.0])), [200.0, nan])
