"""The more was tried, the less is left of the best."""

from math import isnan, nan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest import overfitting
from omc.backtest.deflated import Deflated
from omc.promotion.trials import Tally

METRICS = {"sharpe": 2.0, "skewness": -0.3, "kurtosis": 5.0, "bars": 2_001.0}
DAY_S = 86_400.0


def tried(tries: int, variance: float, returns: float = 2_000) -> Tally:
    """As many tries of daily bars, two of which have ratios that vary by so much."""
    half = sqrt(variance / 2)
    return Tally.of([1 - half, 1 + half], returns, 365) + Tally(tries - 2)


def test_of_one_try_it_is_the_probabilistic_ratio_against_zero():
    left = Deflated.of(METRICS, DAY_S, Tally(1))
    assert left.threshold == 0.0
    year = 365**0.5
    assert left.probability == overfitting.probabilistic_sharpe(2.0 / year, 2_000, -0.3, 5.0, benchmark=0.0)
    assert left.sentence().startswith("Tried 1 time so far:")


@pytest.mark.parametrize("variance", [0.05, 0.25, 40.0], ids="variance {}".format)
def test_of_tries_of_its_own_length_it_is_the_deflated_ratio_of_the_paper(variance):
    left = Deflated.of(METRICS, DAY_S, tried(500, variance))
    assert left.threshold == pytest.approx(overfitting.expected_max_sharpe(500, variance))
    paper = overfitting.deflated_sharpe(2.0 / sqrt(365), 2_000, -0.3, 5.0, tries=500, variance=variance / 365)
    assert left.probability == pytest.approx(paper)
    assert left.threshold > Deflated.of(METRICS, DAY_S, tried(5, variance)).threshold
    assert "500 times" in left.sentence()


def test_the_example_of_the_paper():
    """Annual 2.5 from five years of 250 days, skewness -3, kurtosis 10, 100 tries whose variance is one half."""
    year_s = 365 * DAY_S
    metrics = {"sharpe": 2.5, "skewness": -3.0, "kurtosis": 10.0, "bars": 1_251.0}
    tally = Tally.of([-0.5, 0.5], 1_250, 250) + Tally(98)
    assert Deflated.of(metrics, year_s / 250, tally).probability == pytest.approx(0.9004, abs=5e-5)


def test_what_is_one_past_in_folds_has_a_return_less_for_each():
    whole, folded = (Deflated.of(METRICS, DAY_S, Tally(1), folds=folds) for folds in (1, 4))
    assert whole == Deflated.of(METRICS, DAY_S, Tally(1))
    assert folded.probability == overfitting.probabilistic_sharpe(2.0 / sqrt(365), 1_997, -0.3, 5.0)


@given(st.integers(2, 10_000), st.integers(2, 10_000), st.floats(0.01, 4.0))
def test_more_tries_never_leave_more(some, more, variance):
    few, many = sorted((some, more))
    before, after = (Deflated.of(METRICS, DAY_S, tried(tries, variance)) for tries in (few, many))
    assert after.probability <= before.probability


@pytest.mark.parametrize("missing", ["sharpe", "skewness", "bars"])
def test_what_was_not_measured_is_not_said(missing):
    left = Deflated.of({**METRICS, missing: None}, DAY_S, tried(3, 0.5))
    assert isnan(left.probability)
    assert "too little" in left.sentence()


@pytest.mark.parametrize("tally", [Tally(3), Tally.of([1.0, nan, nan], 2_000, 365), tried(3, 0.5, returns=20)])
def test_tries_of_which_too_few_have_a_ratio_have_no_best(tally):
    left = Deflated.of(METRICS, DAY_S, tally)
    assert isnan(left.threshold)
    assert isnan(left.probability)
