"""Skill and luck, against the numbers that the papers print."""

from math import inf, isnan, nan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest import overfitting
from omc.errors import InvalidInput

# Bailey and López de Prado 2014, "The deflated Sharpe ratio", their numerical example: an annual ratio of 2.5 from five
# years of 250 days, skewness -3, kurtosis 10, and a variance of one half across the ratios of the tries.
DAILY, DAYS, VARIANCE = 2.5 / sqrt(250), 1_250, 0.5 / 250


@pytest.mark.parametrize(
    ("tries", "skewness", "kurtosis", "expected"), [(100, -3, 10, 0.9004), (46, -3, 10, 0.9505), (88, 0, 3, 0.9505)]
)
def test_the_deflated_ratio_is_that_of_the_paper(tries, skewness, kurtosis, expected):
    found = overfitting.deflated_sharpe(DAILY, DAYS, skewness, kurtosis, tries=tries, variance=VARIANCE)
    assert found == pytest.approx(expected, abs=5e-5)


def test_the_best_of_a_hundred_without_skill_is_that_of_the_paper():
    assert overfitting.expected_max_sharpe(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)


# Bailey and López de Prado 2012, "The Sharpe ratio efficient frontier", sections 4 and 5.
@pytest.mark.parametrize(("skewness", "kurtosis", "expected"), [(0, 3, 0.982), (-2.448, 10.164, 0.913)])
def test_the_probabilistic_ratio_is_that_of_the_paper(skewness, kurtosis, expected):
    found = overfitting.probabilistic_sharpe(0.458, 24, skewness, kurtosis)
    assert found == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("a_year", "skewness", "kurtosis", "years"),
    [(252, 0, 3, 2.73), (52, 0, 3, 2.83), (12, 0, 3, 3.24), (12, -0.72, 5.78, 4.99)],
    ids=["daily", "weekly", "monthly", "monthly hedge fund"],
)
def test_the_shortest_track_record_is_that_of_the_paper(a_year, skewness, kurtosis, years):
    needed = overfitting.min_track_record_length(
        2 / sqrt(a_year), skewness, kurtosis, benchmark=1 / sqrt(a_year), confidence=0.95
    )
    assert needed / a_year == pytest.approx(years, abs=6e-3)


@given(st.floats(0.01, 0.4), st.floats(-2, 2), st.floats(5, 20), st.floats(0.8, 0.99))
def test_a_record_of_the_shortest_length_has_that_confidence(sharpe, skewness, kurtosis, confidence):
    needed = overfitting.min_track_record_length(sharpe, skewness, kurtosis, confidence=confidence)
    assert overfitting.probabilistic_sharpe(sharpe, needed, skewness, kurtosis) == pytest.approx(confidence)


@given(st.integers(1, 10_000), st.floats(1e-6, 1))
def test_more_tries_leave_less(tries, variance):
    assert overfitting.expected_max_sharpe(tries + 1, variance) > overfitting.expected_max_sharpe(tries, variance)


def test_what_cannot_be_said_is_not_said():
    assert isnan(overfitting.probabilistic_sharpe(1.0, 1))
    assert isnan(overfitting.probabilistic_sharpe(1.0, 100, skewness=5.0, kurtosis=3.0))
    assert isnan(overfitting.min_track_record_length(0.1, benchmark=0.1))
    assert isnan(overfitting.min_track_record_length(0.1, 0.0, inf))
    assert isnan(overfitting.probabilistic_sharpe(1e200, 100))
    assert overfitting.min_track_record_length(1e-200) == inf
    assert isnan(overfitting.expected_max_sharpe(2, -1.0))
    assert overfitting.expected_max_sharpe(1, 1.0) == 0.0
    assert 8.0 < overfitting.expected_max_sharpe(10**17, 1.0) < 9.0


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, 2.0, nan])
def test_a_confidence_that_is_no_fraction_is_refused(confidence):
    with pytest.raises(InvalidInput, match="confidence"):
        overfitting.min_track_record_length(0.1, confidence=confidence)


def test_half_a_confidence_takes_no_record():
    assert overfitting.min_track_record_length(0.1, confidence=0.5) == 1.0
    assert overfitting.min_track_record_length(0.1, confidence=0.2) == 1.0
