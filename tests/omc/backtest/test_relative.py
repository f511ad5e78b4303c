"""Beside a benchmark."""

import numpy as np
import pytest

from omc.backtest import relative

MARKET = np.array([0.01, -0.02, 0.03, 0.0, float("nan")])


def test_twice_the_market_has_a_beta_of_two_and_no_alpha():
    assert relative.beta(2 * MARKET, MARKET) == pytest.approx(2)
    assert relative.alpha(2 * MARKET, MARKET, 365) == pytest.approx(0)


def test_what_is_earned_beside_the_market_is_alpha():
    assert relative.beta(MARKET + 0.001, MARKET) == pytest.approx(1)
    assert relative.alpha(MARKET + 0.001, MARKET, 365) == pytest.approx(1.001**365 - 1)


def test_a_market_that_stands_still_has_neither():
    assert np.isnan(relative.beta(MARKET, np.zeros(5)))
    assert np.isnan(relative.alpha(MARKET, np.zeros(5), 365))
    assert np.isnan(relative.beta(MARKET[:1], MARKET[:1]))
