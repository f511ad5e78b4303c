"""Quotes gathered into candles."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.feature.frame import as_datetime64
from omc.feature.resample import candles

START = datetime(2025, 6, 1, 23, 50, tzinfo=UTC)


def times(count: int) -> np.ndarray:
    return np.array([as_datetime64(START + row * timedelta(minutes=5)) for row in range(count)], dtype="M8[us]")


def test_a_candle_holds_the_first_highest_lowest_and_last_price_of_its_bar():
    table = candles(times(4), np.array([3.0, 1.0, 5.0, 4.0]), timedelta(days=1))
    assert [str(each)[:16] for each in table.times] == ["2025-06-01T00:00", "2025-06-02T00:00"]
    assert table.open.tolist() == [3.0, 5.0]
    assert table.high.tolist() == [3.0, 5.0]
    assert table.low.tolist() == [1.0, 4.0]
    assert table.close.tolist() == [1.0, 4.0]


def test_a_bar_without_a_quote_is_not_made_up():
    nan = float("nan")
    table = candles(times(7), np.array([1.0, nan, nan, nan, nan, nan, 2.0]), timedelta(minutes=15))
    assert [str(each)[11:16] for each in table.times] == ["23:45", "00:15"]


@pytest.mark.parametrize("price", [[], [float("nan")] * 3], ids=["no rows", "no quotes"])
def test_nothing_makes_no_candles(price: list[float]):
    assert len(candles(times(len(price)), np.array(price), timedelta(hours=1))) == 0


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=60), st.sampled_from([15, 60, 240, 1440]))
def test_every_price_lies_within_its_candle_and_none_is_lost(prices: list[float], minutes: int):
    table = candles(times(len(prices)), np.array(prices), timedelta(minutes=minutes))
    assert max(table.high) == max(prices)
    assert min(table.low) == min(prices)
    assert table.open[0] == prices[0]
    assert table.close[-1] == prices[-1]
    assert (table.low <= table.open).all()
    assert (table.close <= table.high).all()
    assert (table.times[1:] > table.times[:-1]).all()
