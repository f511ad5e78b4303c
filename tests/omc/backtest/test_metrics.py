"""Metrics agree with published figures, and do not exist where they have no meaning."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.backtest import metrics, trips
from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, SELL, TRADE, Simulation
from omc.feature.frame import Frame

CASES = Path(__file__).parents[4] / "shared" / "cases"
NAN = float("nan")


def cases(name: str):
    path = CASES / name
    if not path.exists():
        pytest.skip("the recorded inputs are not here", allow_module_level=False)
    return json.loads(path.read_text())


def published(case: dict, name: str) -> float:
    value = case.get(name)
    return NAN if value is None or not np.isfinite(float(value)) else float(value)


SERIES = "mixed_returns positive_returns negative_returns all_negative_returns udu_returns flat_1pct simple_benchmark"


@pytest.mark.shared
@pytest.mark.parametrize("series", SERIES.split())
def test_they_agree_with_published_figures(series):
    book = cases("metrics.json")
    gained = np.array([NAN if each is None else each / 100 for each in book["series_pct"][series]])
    equity = np.concatenate([[1.0], np.cumprod(1 + np.nan_to_num(gained))])
    expected = book["computed"][series]
    computed = {
        "cum_returns_final": metrics.total_return(equity),
        "max_drawdown": metrics.max_drawdown(equity),
        "annual_return": metrics.cagr(equity, 252),
        "annual_volatility": metrics.volatility(gained, 252),
        "calmar_ratio": metrics.calmar(equity, 252),
        "sharpe_ratio": metrics.sharpe(gained, 252),
        "sortino_ratio": metrics.sortino(gained, 252),
        "downside_risk": metrics.downside_risk(gained, 252),
        "omega_ratio": metrics.omega(gained),
        "sharpe_365": metrics.sharpe(gained, 365),
        "sortino_365": metrics.sortino(gained, 365),
    }
    for name, value in computed.items():
        assert value == pytest.approx(published(expected, name), rel=1e-9, abs=1e-12, nan_ok=True), name


def simulation(equity: list[float]) -> Simulation:
    curve = np.array(equity, float)
    return Simulation(np.zeros(0, TRADE), curve, curve.copy(), np.zeros(2))


COSTS = Costs(np.array([10, 100]), 1.0, 0.02)


@pytest.mark.parametrize("equity", [[100.0], [100.0, 100.0, 100.0], [100.0, 0.0, 0.0]], ids=["a bar", "flat", "ruin"])
def test_what_has_no_ratio_is_null_and_never_infinite(equity):
    figures = metrics.figures(simulation(equity), COSTS, 300.0)
    assert tuple(figures) == metrics.METRICS
    assert figures["profit_factor"] is None
    assert figures["calmar"] is None or np.isfinite(figures["calmar"])
    json.dumps(figures, allow_nan=False)


def test_a_flat_curve_has_no_sharpe():
    figures = metrics.figures(simulation([100.0] * 5), COSTS, 300.0)
    assert (figures["sharpe"], figures["sortino"], figures["calmar"]) == (None, None, None)
    assert (figures["volatility"], figures["max_drawdown"], figures["total_return"]) == (0, 0, 0)


def test_a_year_has_365_days_of_bars():
    equity = np.array([100.0, 101.0])
    assert metrics.cagr(equity, metrics.YEAR_S / 86_400) == pytest.approx(1.01**365 - 1)


def test_growth_beyond_a_float_does_not_exist():
    assert np.isnan(metrics.cagr(np.array([1.0, 1e9]), 105_120))


def test_exposure_is_the_mean_part_not_in_cash():
    assert metrics.exposure(np.array([100.0, 100.0]), np.array([100.0, 50.0])) == 0.25


def test_a_summary_tells_everything_about_a_backtest():
    rows = 5
    times = np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(86_400, "s")
    bid = np.array([[100.0], [100.0], [110.0], [99.0], [120.0]])
    window = Frame(times, ("BTC",), bid, bid * 1.01, bid)
    trades = np.zeros(2, TRADE)
    trades["row"], trades["side"], trades["quantity"] = [1, 2], [BUY, SELL], 1.0
    trades["price_aud"], trades["total_aud"] = [102.0, 110.0], [102.0, 109.0]
    equity = np.array([200.0, 198.0, 207.0, 207.0, 207.0])
    cash = np.array([200.0, 98.0, 207.0, 207.0, 207.0])
    done = Simulation(trades, equity, cash, np.zeros(1))
    told = metrics.summary(done, window, Costs(np.array([10]), 1.0, 0.02), 86_400)
    assert tuple(told)[: len(metrics.METRICS)] == metrics.METRICS
    assert told["round_trips"] == 1
    assert told["average_holding_bars"] == 1
    assert told["expectancy"] == pytest.approx(7 / 102)
    assert told["spread_aud"] == pytest.approx((1.0 + 1.1) / 2)
    assert told["slippage_aud"] == pytest.approx(1.0)
    assert (told["drawdown_bars"], told["recovery_bars"], told["longest_drawdown_bars"]) == (2, 1, 2)
    assert told["benchmark_return"] == pytest.approx(120 / 101 / 1.001 - 1)
    assert told["payoff"] is None
    json.dumps(told, allow_nan=False)


def test_a_year_has_the_mean_return_of_its_bars():
    assert metrics.annual_return(np.array([0.01, NAN, 0.03]), 365) == pytest.approx(7.3)
    assert np.isnan(metrics.annual_return(np.array([NAN]), 365))


def test_blocks_are_as_equal_as_rows_allow():
    assert metrics.bounds(10, 4).tolist() == [0, 2, 5, 7, 10]


@pytest.mark.parametrize("equity", [[100.0, 110.0, 99.0, 99.0, 108.9], [100.0, 0.0, 0.0, 0.0, 0.0]], ids=["", "ruin"])
def test_a_return_belongs_to_the_block_of_the_row_that_made_it(equity):
    found = metrics.moments(np.array(equity), np.array([0, 2, 5]))
    gained = metrics.returns(np.array(equity))
    for row, part in zip(found, (gained[:1], gained[1:]), strict=True):
        known = part[~np.isnan(part)]
        assert row.tolist() == pytest.approx([len(known), known.sum(), (known**2).sum()])


def test_blocks_that_leave_rows_out_have_no_figures():
    with pytest.raises(ValueError, match="rows 0 to 2 of a curve of 3"):
        metrics.figures_and_moments(simulation([1.0, 2.0, 3.0]), COSTS, 300.0, np.array([0, 2]))


CURVES = st.integers(1, 1_500).flatmap(
    lambda rows: st.tuples(st.just(rows), st.integers(0, 2**32 - 1), st.sampled_from([1e-5, 1e-3, 0.05, 0.4]))
)


@settings(max_examples=150, deadline=None)
@given(CURVES, st.floats(0, 1), st.integers(1, 20))
def test_one_pass_gives_what_the_measures_give(curve, idle, blocks):
    rows, seed, size = curve
    generator = np.random.default_rng(seed)
    held = np.repeat(generator.random(rows // 40 + 1) > idle, 40)[:rows]
    gained = np.where(held, generator.normal(size / 10, size, rows), 0.0).clip(-0.9)
    equity = 1e4 * np.cumprod(1 + gained)
    cash = np.where(held | np.append(held[1:], False), equity * generator.random(rows), equity)
    done = Simulation(np.zeros(0, TRADE), equity, cash, np.zeros(1))
    found, parts = metrics.figures_and_moments(
        done, Costs(np.array([10]), 1.0, 0.0), 300.0, metrics.bounds(rows, blocks)
    )
    for name, value in metrics._of_curve(equity, cash, metrics.YEAR_S / 300).items():
        ours = NAN if found[name] is None else found[name]
        # A ratio whose numerator nearly vanishes has few digits, whoever computes it.
        rounding = 1e-12 * np.sqrt(metrics.YEAR_S / 300) if name in ("sharpe", "sortino") else 1e-12
        assert ours == pytest.approx(value, rel=1e-12, abs=rounding, nan_ok=True), name
    assert parts[:, 0].sum() == max(rows - 1, 0)
    assert parts[:, 1].sum() == pytest.approx(metrics.returns(equity).sum(), rel=1e-12, abs=1e-12 * rows * size)


def test_the_trades_of_one_pass_are_those_of_the_measures():
    generator = np.random.default_rng(5)
    trades = np.zeros(400, TRADE)
    trades["row"], trades["coin"] = np.arange(400), np.arange(400) // 2 % 2
    trades["side"] = np.where(np.arange(400) % 2 == 0, BUY, SELL)
    trades["quantity"], trades["price_aud"] = 1.5, 70.0
    trades["total_aud"] = generator.uniform(90, 120, 400).round(2)
    equity = np.full(400, 1000.0)
    found = metrics.figures(Simulation(trades, equity, equity, np.zeros(2)), COSTS, 300.0)
    made = trips.round_trips(trades, 2)
    assert found["profit_factor"] == pytest.approx(trips.profit_factor(made), rel=1e-12)
    assert found["win_rate"] == trips.win_rate(made)
    assert found["turnover"] == pytest.approx(trips.turnover(trades, equity), rel=1e-12)
    assert found["fees_aud"] == pytest.approx(trips.fees(trades, COSTS), rel=1e-12)
