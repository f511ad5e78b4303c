"""Every difference between backtest and floor is one sentence, and one missing trade is one difference."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest.parity import differences, parity_of
from omc.backtest.run import BacktestSpec
from omc.backtest.study import study
from omc.errors import InvalidInput
from omc.feature.frame import Frame
from omc.market.terms import Terms
from omc.strategy.trigger import Every, Strayed
from omc.trading.fill import Fill, Side
from omc.trading.settlement import settle

START = datetime(2025, 1, 1, tzinfo=UTC)


def fill(bar: int, coin: str = "BTC", side: Side = Side.BUY, quantity: str = "0.5", price: str = "100") -> Fill:
    settled = settle(side, Decimal(quantity), Decimal(price), 10)
    when = START + timedelta(minutes=5 * bar)
    return Fill(f"{bar}:{coin}:{side}", coin, side, Decimal(quantity), settled.total_aud, settled.fee_aud, when)


TRADES = [fill(1), fill(1, "ETH"), fill(3, side=Side.SELL), fill(4, "ETH", Side.SELL), fill(7), fill(9, side=Side.SELL)]


def test_the_same_trades_do_not_differ_whatever_the_floor_calls_them():
    assert differences(TRADES, [replace(each, fill_id="venue") for each in TRADES]) == []
    assert differences([], []) == []


@given(missing=st.integers(0, len(TRADES) - 1))
def test_one_missing_trade_is_one_difference(missing):
    others = TRADES[:missing] + TRADES[missing + 1 :]
    (only_kernel,) = differences(TRADES, others)
    assert only_kernel.endswith("the floor has no such trade")
    (only_floor,) = differences(others, TRADES)
    assert only_floor.endswith("the backtest has no such trade")
    assert f"{TRADES[missing].side} of 0.5 {TRADES[missing].coin}" in only_floor


def test_trades_in_another_order_differ():
    assert len(differences(TRADES, [TRADES[1], TRADES[0], *TRADES[2:]])) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (fill(3, side=Side.SELL, quantity="0.50000001"), "quantity is 0.50000000 in the backtest and 0.50000001"),
        (replace(TRADES[2], fee_aud=TRADES[2].fee_aud + 1), "fee is 0.05 in the backtest and 1.05 on the floor"),
        (replace(TRADES[2], executed_at=START + timedelta(minutes=20)), "time is 2025-01-01 00:15"),
    ],
)
def test_what_differs_is_named(changed, said):
    found = differences(TRADES, [*TRADES[:2], changed, *TRADES[3:]])
    assert any(said in each for each in found)
    assert all(each.startswith("sell of 0.5 BTC at 2025-01-01T00:15:00+00:00: ") for each in found)


def test_a_fee_is_compared_to_the_cent():
    assert differences([TRADES[0]], [replace(TRADES[0], fee_aud=TRADES[0].fee_aud + Decimal("0.000001"))]) != []
    nearly = replace(TRADES[0], fee_aud=TRADES[0].fee_aud + Decimal("0.000000001"))
    assert differences([TRADES[0]], [nearly]) == []


# A tape, for the gate


def frame(rows: int = 3_000) -> Frame:
    rng = np.random.default_rng(1)
    last = np.round(np.array([60_000.0, 3_000.0]) * np.exp(rng.normal(0, 0.004, (rows, 2)).cumsum(axis=0)), 2)
    times = np.datetime64("2025-01-01", "us") + np.arange(rows) * np.timedelta64(300, "s")
    return Frame(times, ("BTC", "ETH"), np.round(last * 0.999, 2), np.round(last * 1.001, 2), last)


SPEC = BacktestSpec(
    algorithm_type="mean_reversion",
    parameters={"stop_loss": 0.01},
    coins=("BTC", "ETH"),
    start=START + timedelta(days=2),
    end=START + timedelta(days=9),
    initial_cash_aud=Decimal(10_000),
    rebalance_band=0.02,
)


def test_kernel_and_event_engine_have_parity() -> None:
    assert parity_of(SPEC, frame(), Terms()) == []
    assert parity_of(replace(SPEC, algorithm_type="moving_average_crossover", parameters={}), frame(), Terms()) == []


def test_an_algorithm_that_is_asked_on_some_bars_has_parity_too() -> None:
    asked = replace(SPEC, triggers=(Every(3600), Strayed("BTC", 1.0, 3)))
    assert parity_of(asked, frame(), Terms()) == []
    assert study(asked, frame(), Terms()).fills != study(SPEC, frame(), Terms()).fills


def test_slippage_and_latency_are_no_difference() -> None:
    assert parity_of(replace(SPEC, slippage_bps=20.0, latency_bars=2), frame(), Terms()) == []


def test_what_cannot_be_carried_out_has_no_parity() -> None:
    with pytest.raises(InvalidInput, match="no prices of DOGE"):
        parity_of(replace(SPEC, coins=("BTC", "DOGE")), frame(), Terms())
