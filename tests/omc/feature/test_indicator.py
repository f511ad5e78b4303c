"""Indicators depend on their own window, to the bit."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray
from omc.feature.indicator import Indicators, rolling_mean, rolling_std

UNITS = st.integers(1, 150_000 * 10**8)


@st.composite
def prices(draw: st.DrawFn, most_rows: int = 40) -> FloatArray:
    units = draw(st.lists(st.one_of(UNITS, st.none()), min_size=1, max_size=most_rows))
    return np.array([np.nan if unit is None else unit / 10**8 for unit in units])


@pytest.mark.parametrize("indicator", [rolling_mean, rolling_std])
@settings(deadline=None)
@given(series=prices(), before=prices(), after=prices(), window=st.integers(1, 12))
def test_a_value_is_the_same_whatever_came_before_its_window_or_after_it(indicator, series, before, after, window):
    alone = indicator(series, window)
    among = indicator(np.concatenate([before, series, after]), window)[len(before) : len(before) + len(series)]
    complete = window - 1
    assert alone[complete:].tobytes() == among[complete:].tobytes()
    assert np.isnan(alone[:complete]).all()


@settings(deadline=None)
@given(series=prices(), window=st.integers(1, 12))
def test_the_mean_is_the_exact_one_rounded(series, window):
    means = rolling_mean(series, window)
    for t in range(window - 1, len(series)):
        own = series[t - window + 1 : t + 1]
        if np.isnan(own).any():
            assert np.isnan(means[t])
        else:
            exact = sum(Fraction(round(price * 10**8)) for price in own) / window / 10**8
            assert means[t] == pytest.approx(float(exact), rel=1e-15)


@settings(deadline=None)
@given(unit=UNITS, window=st.integers(1, 50))
def test_a_price_that_never_moves_is_its_own_mean_and_never_deviates(unit, window):
    series = np.full(60, unit / 10**8)
    assert (rolling_mean(series, window)[window - 1 :] == series[0]).all()
    assert (rolling_std(series, window)[window - 1 :] == 0).all()


@settings(deadline=None)
@given(series=arrays(np.float64, (3_000, 2), elements=st.integers(1, 10**9).map(lambda n: n / 100), fill=st.just(7.0)))
def test_the_deviation_is_the_textbook_one(series):
    windows = np.lib.stride_tricks.sliding_window_view(series, 20, axis=0)
    assert rolling_std(series, 20)[19:] == pytest.approx(windows.std(axis=-1), rel=1e-9, abs=1e-6)


def test_an_indicator_is_computed_once_and_forgotten_when_memory_runs_out():
    series = np.arange(1.0, 101.0).reshape(-1, 1)
    indicators = Indicators(series, capacity_bytes=2 * series.nbytes)
    first = indicators.mean(5)
    assert indicators.mean(5) is first
    indicators.mean(6)
    indicators.mean(7)
    assert indicators.mean(5) is not first
    assert (indicators.mean(5)[4:] == first[4:]).all()


@pytest.mark.parametrize(("price", "window", "reason"), [(1.0, 0, "too short"), (90e6, 2_000, "64 bits")])
def test_a_window_without_a_mean_is_refused(price, window, reason):
    with pytest.raises(InvalidInput, match=reason):
        rolling_mean(np.full(3, price), window)
