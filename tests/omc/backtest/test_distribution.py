"""The shape of returns and their bad end."""

import numpy as np
import pytest

from omc.backtest import distribution

NAN = float("nan")
RETURNS = np.array([NAN, -0.1, 0.0, 0.0, 0.1, 0.2])


def test_shape_is_that_of_the_population():
    known = RETURNS[1:]
    away = (known - known.mean()) / known.std()
    assert distribution.skewness(RETURNS) == pytest.approx((away**3).mean())
    assert distribution.kurtosis(RETURNS) == pytest.approx((away**4).mean())


def test_a_normal_distribution_has_a_kurtosis_of_three():
    drawn = np.random.default_rng(1).normal(size=200_000)
    assert distribution.kurtosis(drawn) == pytest.approx(3, abs=0.05)
    assert distribution.skewness(drawn) == pytest.approx(0, abs=0.05)


def test_the_worst_returns_are_a_quantile_and_the_mean_beyond_it():
    returns = np.append(np.arange(-50, 51) / 100, NAN)
    assert distribution.value_at_risk(returns) == pytest.approx(-0.45)
    assert distribution.expected_shortfall(returns) == pytest.approx(np.mean([-0.5, -0.49, -0.48, -0.47, -0.46, -0.45]))


@pytest.mark.parametrize("returns", [[], [NAN]], ids=["no bar", "none counts"])
def test_nothing_has_no_shape(returns):
    for measure in (
        distribution.skewness,
        distribution.kurtosis,
        distribution.value_at_risk,
        distribution.expected_shortfall,
    ):
        assert np.isnan(measure(np.array(returns, float)))


def test_returns_that_never_vary_have_no_shape():
    assert np.isnan(distribution.kurtosis(np.array([0.01, 0.01, 0.01])))
