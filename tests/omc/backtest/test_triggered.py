"""A backtest whose algorithm is asked on some bars only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from omc.backtest.run import BacktestSpec
from omc.backtest.study import check, needed_bars, study
from omc.errors import InvalidInput
from omc.feature.frame import Frame
from omc.market.terms import Terms
from omc.strategy.trigger import Crossing, Every

START = datetime(2025, 6, 8, tzinfo=UTC)
BARS = 400
SPEC = BacktestSpec(
    algorithm_type="moving_average_crossover",
    parameters={"fast_bars": 4, "slow_bars": 12},
    coins=("BTC",),
    start=START + timedelta(hours=2),
    end=START + timedelta(days=30),
    initial_cash_aud=Decimal(10_000),
    rebalance_band=0.02,
)


@pytest.fixture
def frame() -> Frame:
    times = np.datetime64("2025-06-08", "us") + np.arange(BARS) * np.timedelta64(5, "m")
    last = np.round(90_000.0 * (1 + 0.08 * np.sin(np.arange(BARS) / 9.0)), 8)[:, None]
    return Frame(times, ("BTC",), np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)


def test_it_trades_only_after_bars_that_something_fires_on(frame: Frame) -> None:
    hourly = study(replace(SPEC, triggers=(Every(3600),)), frame, Terms())
    always = study(SPEC, frame, Terms())
    # What an hour's first bar decides is filled at the next.
    assert {fill.executed_at.minute for fill in hourly.fills} == {5}
    assert len({fill.executed_at.minute for fill in always.fills}) > 3


def test_what_never_fires_never_trades(frame: Frame) -> None:
    quiet = study(replace(SPEC, triggers=(Crossing("BTC", 1.0),)), frame, Terms())
    assert quiet.fills == ()


def test_every_bar_is_what_every_five_minutes_is(frame: Frame) -> None:
    assert study(replace(SPEC, triggers=(Every(300),)), frame, Terms()).fills == study(SPEC, frame, Terms()).fills


def test_a_trigger_needs_the_bar_before_and_a_coin_that_is_traded() -> None:
    assert needed_bars(replace(SPEC, triggers=(Every(300),))) == needed_bars(SPEC)
    with pytest.raises(InvalidInput):
        check(replace(SPEC, triggers=(Crossing("ETH", 1.0),)))
