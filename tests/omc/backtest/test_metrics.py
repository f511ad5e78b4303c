"""Metrics agree with published figures, and do not exist where they have no meaning."""

import json
from pathlib import Path

import numpy as np
import pytest

from omc.backtest import metrics
from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, SELL, TRADE, Simulation

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
    }
    for name, value in computed.items():
        assert value == pytest.approx(published(expected, name), rel=1e-9, abs=1e-12, nan_ok=True), name
    for name, measure in (("sharpe_365", metrics.sharpe), ("sortino_365", metrics.sortino)):
        assert measure(gained, 365) == pytest.approx(published(expected, name), rel=1e-9, nan_ok=True), name


@pytest.mark.shared
def test_a_round_trips_profit_is_what_the_fee_formula_says():
    book = cases("profit.json")
    opened = book["setup"]["amount"] * book["setup"]["open_rate"] * (1 + book["setup"]["fee_open"])
    seen = 0
    for row in book["rows"]:
        case = dict(zip(book["columns"], row, strict=True))
        if case["is_short"] or case["leverage"] != 1 or case["mode"] != "spot":
            continue
        closed = book["setup"]["amount"] * case["close_rate"] * (1 - case["fee_close"])
        trades = trades_of((0, 0, BUY, 30.0, opened, 2.0), (1, 0, SELL, 30.0, closed, case["close_rate"]))
        paid, got = metrics.round_trips(trades, 1)[0]
        assert got - paid == pytest.approx(case["profit_abs"], abs=1e-8)
        assert got / paid - 1 == pytest.approx(case["profit_ratio"], abs=1e-8)
        seen += 1
    assert seen


def trades_of(*rows) -> np.ndarray:
    return np.array(list(rows), TRADE)


def simulation(equity: list[float]) -> Simulation:
    curve = np.array(equity, float)
    return Simulation(trades_of(), curve, curve.copy(), np.zeros(2))


COSTS = Costs(np.array([10, 100]), 1.0, 0.02)


@pytest.mark.parametrize("equity", [[100.0], [100.0, 100.0, 100.0], [100.0, 0.0, 0.0]], ids=["a bar", "flat", "ruin"])
def test_what_has_no_ratio_is_null_and_never_infinite(equity):
    figures = metrics.summary(simulation(equity), COSTS, 300.0)
    assert tuple(figures) == metrics.METRICS
    assert figures["profit_factor"] is None
    assert figures["calmar"] is None or np.isfinite(figures["calmar"])
    json.dumps(figures, allow_nan=False)


def test_a_flat_curve_has_no_sharpe():
    figures = metrics.summary(simulation([100.0] * 5), COSTS, 300.0)
    assert (figures["sharpe"], figures["sortino"], figures["calmar"]) == (None, None, None)
    assert (figures["volatility"], figures["max_drawdown"], figures["total_return"]) == (0, 0, 0)


def test_a_year_has_365_days_of_bars():
    equity = np.array([100.0, 101.0])
    assert metrics.cagr(equity, metrics.YEAR_S / 86_400) == pytest.approx(1.01**365 - 1)


def test_growth_beyond_a_float_does_not_exist():
    assert np.isnan(metrics.cagr(np.array([1.0, 1e9]), 105_120))


def test_round_trips_end_when_none_of_the_coin_is_left():
    trades = trades_of(
        (1, 0, BUY, 1.0, 100.0, 100.0),
        (2, 1, BUY, 2.0, 50.0, 25.0),
        (3, 0, BUY, 0.5, 60.0, 120.0),
        (4, 0, SELL, 1.0, 110.0, 110.0),
        (5, 0, SELL, 0.5, 65.0, 130.0),
        (6, 0, BUY, 1.0, 100.0, 100.0),
        (7, 0, SELL, 1.0, 90.0, 90.0),
    )
    trips = metrics.round_trips(trades, 2)
    assert trips.tolist() == [[160, 175], [100, 90]]
    assert metrics.win_rate(trips) == 0.5
    assert metrics.profit_factor(trips) == 1.5
    assert np.isnan(metrics.profit_factor(trips[:1]))


def test_fees_are_inside_a_purchase_and_off_a_sale():
    trades = trades_of((1, 1, BUY, 1.0, 101.0, 100.0), (2, 0, SELL, 1.0, 99.9, 100.0))
    assert metrics.fees(trades, COSTS) == pytest.approx(1.0 + 0.1)
    assert metrics.turnover(trades, np.array([100.0, 100.0])) == pytest.approx(2.009)


def test_exposure_is_the_mean_part_not_in_cash():
    assert metrics.exposure(np.array([100.0, 100.0]), np.array([100.0, 50.0])) == 0.25
