"""Returns by month add up to the whole, and a rolling ratio is the ratio of each stretch."""

import numpy as np
import pytest

from omc.backtest import metrics
from omc.backtest.tearsheet.returns import monthly_returns, rolling_sharpe

DAYS = np.datetime64("2023-11-20", "us") + np.arange(500) * np.timedelta64(1, "D")
EQUITY = 1_000 * np.exp(np.random.default_rng(3).normal(0, 0.02, 500).cumsum())


def test_months_multiply_to_their_year_and_years_to_the_whole():
    years, grid = monthly_returns(DAYS, EQUITY)
    assert years == [2023, 2024, 2025]
    assert np.isnan(grid[0, :10]).all()
    assert not np.isnan(grid[1]).any()
    for row in grid:
        assert np.nanprod(1 + row[:12]) == pytest.approx(1 + row[12])
    assert np.prod(1 + grid[:, 12]) == pytest.approx(EQUITY[-1] / EQUITY[0])


def test_a_rolling_sharpe_is_that_of_its_stretch():
    ratio = rolling_sharpe(EQUITY, 60, 365.0)
    assert np.isnan(ratio[:60]).all()
    for at in (60, 200, 499):
        assert ratio[at] == pytest.approx(metrics.sharpe(metrics.returns(EQUITY[at - 60 : at + 1]), 365.0))


def test_a_flat_stretch_has_no_ratio():
    assert np.isnan(rolling_sharpe(np.full(100, 7.0), 20, 365.0)).all()
    assert np.isnan(rolling_sharpe(EQUITY[:10], 20, 365.0)).all()
