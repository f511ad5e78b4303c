"""Every difference between backtest and floor is one sentence, and one missing trade is one difference."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest.parity import differences
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
