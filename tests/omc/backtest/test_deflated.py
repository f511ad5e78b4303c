"""The more was tried, the less is left of the best."""

from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest import overfitting
from omc.backtest.deflated import Deflated

METRICS = {"sharpe": 2.0, "skewness": -0.3, "kurtosis": 5.0, "bars": 2_001.0}
DAY_S = 86_400.0


def test_of_one_try_it_is_the_probabilistic_ratio_against_zero():
    left = Deflated.of(METRICS, DAY_S, tries=1, variance=nan)
    assert left.threshold == 0.0
    year = 365**0.5
    assert left.probability == overfitting.probabilistic_sharpe(2.0 / year, 2_000, -0.3, 5.0, benchmark=0.0)
    assert left.sentence().startswith("Tried 1 time so far:")


def test_of_many_tries_it_is_the_deflated_ratio():
    left = Deflated.of(METRICS, DAY_S, tries=500, variance=0.25)
    assert left.threshold == pytest.approx(overfitting.expected_max_sharpe(500, 0.25))
    assert left.probability < Deflated.of(METRICS, DAY_S, tries=5, variance=0.25).probability
    assert "500 times" in left.sentence()


@given(st.integers(2, 10_000), st.integers(2, 10_000), st.floats(0.01, 4.0))
def test_more_tries_never_leave_more(some, more, variance):
    few, many = sorted((some, more))
    before, after = (Deflated.of(METRICS, DAY_S, tries=tries, variance=variance) for tries in (few, many))
    assert after.probability <= before.probability


@pytest.mark.parametrize("missing", ["sharpe", "skewness", "bars"])
def test_what_was_not_measured_is_not_said(missing):
    left = Deflated.of({**METRICS, missing: None}, DAY_S, tries=3, variance=0.5)
    assert isnan(left.probability)
    assert "too little" in left.sentence()
    assert isnan(Deflated.of(METRICS, DAY_S, tries=3, variance=nan).threshold)
