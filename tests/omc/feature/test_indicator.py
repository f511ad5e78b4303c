"""Indicators depend on their own window, to the bit."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from omc.errors import InvalidInput
from omc.feature import doubling
from omc.feature.exact_mean import ExactMeans
from omc.feature.frame import FloatArray
from omc.feature.indicator import Indicators, rolling_mean, rolling_std

UNITS = st.integers(1, 150_000 * 10**8)


@st.composite
def prices(draw: st.DrawFn, most_rows: int = 40) -> FloatArray:
    units = draw(st.lists(st.one_of(UNITS, st.none()), min_size=1, max_size=most_rows))
    return np.array([np.nan if unit is None else unit / 10**8 for unit in units])


EACH = {
    # An indicator by name, its parameters, and how many rows it sees.
    "mean": lambda n: ((n,), n),
    "deviation": lambda n: ((n,), n),
    "highest": lambda n: ((n,), n),
    "lowest": lambda n: ((n,), n),
    "returns": lambda n: ((n,), n + 1),
    "volatility": lambda n: ((n,), n + 1),
    "ema": lambda n: ((n,), 8 * n),
    "macd": lambda n: ((n, n + 2, 3), 8 * (n + 2) + 8 * 3 - 1),
    "rsi": lambda n: ((n,), 16 * n + 1),
    "rank": lambda n: ((n + 1,), n + 1),
    "correlation": lambda n: ((n, 0), n + 1),
}


@pytest.mark.parametrize("name", EACH)
@settings(deadline=None, max_examples=40)
@given(data=st.data(), window=st.integers(1, 12), coins=st.integers(1, 3))
def test_a_value_is_the_same_whatever_came_before_its_window_or_after_it(name, data, window, coins):
    parameters, sees = EACH[name](window)
    generator = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    holes, digits = data.draw(st.sampled_from([0.0, 0.01])), data.draw(st.sampled_from([0, 2, 8]))

    def some(rows: int) -> FloatArray:
        made = np.round(generator.uniform(1, 60_000, (rows, coins)), digits)
        made[generator.random(made.shape) < holes] = np.nan
        return made

    before, series, after = some(data.draw(st.integers(0, 50))), some(sees + 30), some(data.draw(st.integers(0, 9)))
    alone = getattr(Indicators(series), name)(*parameters)
    among = getattr(Indicators(np.concatenate([before, series, after])), name)(*parameters)
    among = among[len(before) : len(before) + len(series)]
    assert alone[sees - 1 :].tobytes() == among[sees - 1 :].tobytes()
    assert np.isnan(alone[: sees - 1]).all()
    assert holes or name == "correlation" or np.isfinite(alone[sees - 1 :]).all()


@settings(deadline=None)
@given(series=prices(), window=st.integers(1, 12))
def test_the_mean_is_the_exact_one_rounded_once(series, window):
    means = rolling_mean(series, window)
    for t in range(window - 1, len(series)):
        own = series[t - window + 1 : t + 1]
        if np.isnan(own).any():
            assert np.isnan(means[t])
        else:
            assert means[t] == float(sum(Fraction(round(price * 10**8)) for price in own) / window / 10**8)


@settings(deadline=None)
@given(
    units=st.lists(st.integers(10**13, 2**46), min_size=300, max_size=300),
    near=st.sampled_from([None, 2**46, 2**45, 2**44]),
    window=st.integers(200, 300),
)
def test_sums_of_more_than_fifty_three_bits_are_divided_exactly_too(units, near, window):
    if near:
        units = [near * 10**8 // 2**26 + unit % 7 - 3 for unit in units]
    series = np.array(units) / 10**8
    means = rolling_mean(series, window)
    units = [round(price * 10**8) for price in series]
    for t in range(window - 1, len(series)):
        assert means[t] == float(Fraction(sum(units[t - window + 1 : t + 1]), window * 10**8))


@settings(deadline=None)
@given(cents=arrays(np.int64, (40, 2), elements=st.integers(1, 10**9)), window=st.integers(1, 12))
def test_a_mean_has_the_same_bits_whatever_else_the_tape_holds(cents, window):
    """A price of eight decimals, or as many rows as need integers, elsewhere in the tape changes how sums are kept."""
    series = cents / 100
    longer = np.concatenate([series, [[150_000.12345678, 0.00000001]] * 2_000])
    assert ExactMeans(longer).of(window)[:40].tobytes() == ExactMeans(series).of(window).tobytes()


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


WALK = np.round(100 * np.exp(np.random.default_rng(3).normal(0, 0.01, (3_000, 2)).cumsum(axis=0)), 8)


def windows_of(series: FloatArray, window: int) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(series, window, axis=0)


@pytest.mark.parametrize("window", [1, 2, 3, 20, 64, 101])
def test_highest_and_lowest_are_those_of_the_window(window):
    indicators = Indicators(WALK)
    assert (indicators.highest(window)[window - 1 :] == windows_of(WALK, window).max(axis=-1)).all()
    assert (indicators.lowest(window)[window - 1 :] == windows_of(WALK, window).min(axis=-1)).all()


@pytest.mark.parametrize("span", [1, 2, 9, 26, 100])
def test_the_exponential_average_is_the_textbook_one_but_for_next_to_nothing(span):
    """Its recursion begins at the first price, and remembers every one since."""
    textbook = pd.DataFrame(WALK).ewm(span=span, adjust=False).mean().to_numpy()
    settled = 16 * span
    assert Indicators(WALK).ema(span)[settled:] == pytest.approx(textbook[settled:], rel=2e-7)
    finite = pd.DataFrame(WALK[500 - 8 * span : 500]).ewm(span=span).mean().to_numpy() if span < 50 else None
    if finite is not None:
        assert Indicators(WALK).ema(span)[499] == pytest.approx(finite[-1], rel=1e-12)


def test_macd_is_the_textbook_one_but_for_next_to_nothing():
    prices = pd.DataFrame(WALK)
    line = prices.ewm(span=12, adjust=False).mean() - prices.ewm(span=26, adjust=False).mean()
    textbook = (line - line.ewm(span=9, adjust=False).mean()).to_numpy()
    assert Indicators(WALK).macd(12, 26, 9)[600:] == pytest.approx(textbook[600:], abs=3e-5)


@pytest.mark.parametrize("window", [2, 14, 30])
def test_relative_strength_is_wilders_but_for_next_to_nothing(window):
    changes = np.diff(WALK, axis=0)
    rise, fall = changes[:window].clip(0).mean(axis=0), (-changes[:window]).clip(0).mean(axis=0)
    for change in changes[window:]:
        rise = (rise * (window - 1) + change.clip(0)) / window
        fall = (fall * (window - 1) + (-change).clip(0)) / window
    assert Indicators(WALK).rsi(window)[-1] == pytest.approx(100 - 100 / (1 + rise / fall), abs=1e-4)


def test_relative_strength_of_rises_alone_is_100_of_falls_alone_0_and_of_nothing_50():
    rising = np.arange(1.0, 41.0)
    series = np.stack([rising, rising[::-1], np.full(40, 7.0)], axis=1)
    assert Indicators(series).rsi(2)[-1].tolist() == [100.0, 0.0, 50.0]


def test_returns_volatility_and_correlation_are_the_textbook_ones():
    indicators, returns = Indicators(WALK), WALK[1:] / WALK[:-1] - 1
    assert indicators.returns(7)[7:] == pytest.approx(WALK[7:] / WALK[:-7] - 1, rel=1e-12)
    assert indicators.volatility(30)[30:] == pytest.approx(windows_of(returns, 30).std(axis=-1), rel=1e-10)
    expected = pd.Series(returns[:, 1]).rolling(50).corr(pd.Series(returns[:, 0])).to_numpy()
    assert indicators.correlation(50, 0)[50:, 1] == pytest.approx(expected[49:], abs=1e-9)
    assert indicators.correlation(50, 0)[50:, 0] == pytest.approx(1.0)


def test_what_never_varies_correlates_with_nothing():
    flat = np.stack([WALK[:100, 0], np.full(100, 3.0)], axis=1)
    assert np.isnan(Indicators(flat).correlation(10, 0)[:, 1]).all()


def test_rank_is_the_part_of_the_others_that_lie_below():
    series = np.array([[3.0], [1.0], [2.0], [2.0], [9.0], [0.5]])
    assert Indicators(series).rank(3)[2:, 0].tolist() == [0.5, 0.75, 1.0, 0.0]


@settings(deadline=None)
@given(window=st.integers(1, 70), rows=st.integers(1, 80), ratio=st.sampled_from([1.0, 0.9, 0.3, 0.0]))
def test_a_fading_average_is_its_formula(window, rows, ratio):
    values = np.random.default_rng(rows).normal(size=(rows, 2))
    found = doubling.average(values, window, ratio)
    weights = ratio ** np.arange(window)[::-1]
    for t in range(rows):
        if t < window - 1:
            assert np.isnan(found[t]).all()
        else:
            own = values[t - window + 1 : t + 1]
            assert found[t] == pytest.approx(weights @ own / weights.sum(), abs=1e-12)


def test_an_indicator_is_computed_once_and_forgotten_when_memory_runs_out():
    series = np.arange(1.0, 101.0).reshape(-1, 1)
    indicators = Indicators(series, capacity_bytes=2 * series.nbytes)
    first = indicators.mean(5)
    assert indicators.mean(5) is first
    indicators.mean(6)
    indicators.mean(7)
    assert indicators.mean(5) is not first
    assert (indicators.mean(5)[4:] == first[4:]).all()


def test_the_least_recently_used_is_forgotten_first():
    series = np.arange(1.0, 101.0).reshape(-1, 1)
    indicators = Indicators(series, capacity_bytes=2 * series.nbytes)
    first = indicators.mean(5)
    indicators.mean(6)
    assert indicators.mean(5) is first
    indicators.mean(7)
    assert indicators.mean(5) is first


@pytest.mark.parametrize("name", sorted(EACH))
def test_a_window_of_no_rows_is_refused(name):
    parameters = [0 for _ in EACH[name](1)[0]]
    with pytest.raises(InvalidInput):
        getattr(Indicators(np.ones((5, 1))), name)(*parameters)


@pytest.mark.parametrize(("price", "window", "reason"), [(1.0, 0, "too short"), (90e6, 2_000, "64 bits")])
def test_a_window_without_a_mean_is_refused(price, window, reason):
    with pytest.raises(InvalidInput, match=reason):
        rolling_mean(np.full(3, price), window)


def test_what_somebody_shared_can_be_let_go_of_and_room_taken_away():
    prices = np.arange(1.0, 101.0)[:, None]
    indicators = Indicators(prices)
    mean = indicators.mean(3)
    indicators.shared(("mine", 1), lambda: prices * 2.0)
    indicators.forget("mine")
    assert indicators.mean(3) is mean
    assert (indicators.shared(("mine", 1), lambda: prices * 3.0) == prices * 3.0).all()
    indicators.limit(prices.nbytes)
    assert indicators.mean(3) is not mean
