"""What is kept of a backtest is all of it, and its figures are thin."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from omc.backtest.record import history, results
from omc.backtest.run import BacktestSpec
from omc.backtest.study import study
from omc.feature.frame import Frame, as_datetime64
from omc.market.terms import Terms

START = datetime(2025, 1, 1, tzinfo=UTC)
ROWS = 3_000


@pytest.fixture(scope="module")
def done():
    generator = np.random.default_rng(11)
    last = np.round(np.array([90_000.0, 0.02]) * np.exp(generator.normal(0, 0.004, (ROWS, 2)).cumsum(axis=0)), 8)
    times = np.arange(ROWS) * np.timedelta64(300, "s") + as_datetime64(START)
    frame = Frame(times, ("BTC", "PEPE"), np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)
    parameters = {"window_bars": 24, "stop_loss": 0.02}
    end = START + timedelta(days=10)
    spec = BacktestSpec("mean_reversion", parameters, frame.coins, START, end, Decimal(10_000), 0.02)
    return study(spec, frame, Terms())


def test_results_are_plain_json_and_thin(done):
    shown = json.loads(json.dumps(results(done), allow_nan=False))
    assert shown.keys() == {"metrics", "bar_s", "trades", "monte_carlo"}
    assert shown["trades"] == shown["metrics"]["trades"] == len(done.fills)
    assert len(json.dumps(shown)) < 5_000


def test_the_history_has_every_bar_and_every_trade(done):
    kept = history(done)
    assert (kept.curves.times == done.window.times).all()
    assert kept.curves.equity_aud.tobytes() == done.simulation.equity.tobytes()
    assert kept.curves.cash_aud.tobytes() == done.simulation.cash.tobytes()
    assert kept.curves.benchmark_aud[0] == 10_000
    assert [each.fill for each in kept.trades] == list(done.fills)
    assert {each.reason for each in kept.trades} <= {"signal", "stop_loss"}


def test_what_the_same_trades_could_have_come_to_is_told(done):
    drawn = results(done)["monte_carlo"]
    assert drawn["final_return"]["low"] <= drawn["final_return"]["median"] <= drawn["final_return"]["high"]
    assert (drawn["runs"], drawn["confidence"]) == (1_000, 0.9)
    assert results(done)["monte_carlo"] == drawn
