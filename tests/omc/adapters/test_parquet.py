"""What goes into a Parquet file comes out of it."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.parquet import decode, encode


@given(st.lists(st.floats(width=64), max_size=50))
def test_numbers_come_back_to_the_last_bit_and_nan_as_nan(values):
    column = np.array(values, np.float64)
    back = decode(encode({"equity": column}))["equity"]
    assert np.nan_to_num(back, nan=-7.0).tobytes() == np.nan_to_num(column, nan=-7.0).tobytes()


def test_times_money_and_words_come_back_too():
    times = np.array(["2025-01-01T00:00:00.000001", "2025-06-01"], "datetime64[us]")
    columns = {"time": times, "fee": [Decimal("0.00000001"), None], "coin": ["BTC", "DOGE"], "n": np.arange(2)}
    back = decode(encode(columns))
    assert back["time"].dtype == times.dtype
    assert (back["time"] == times).all()
    assert back["fee"] == [Decimal("0.00000001"), None]
    assert back["coin"] == ["BTC", "DOGE"]
    assert back["n"].tolist() == [0, 1]


def test_a_table_without_rows_is_a_file_too():
    back = decode(encode({"coin": [], "time": np.array([], "datetime64[us]")}))
    assert list(back["coin"]) == list(back["time"]) == []


def test_a_curve_takes_less_room_than_its_numbers():
    curve = np.round(1_000 * np.exp(np.random.default_rng(1).normal(0, 1e-3, 20_000).cumsum()), 2)
    assert len(encode({"equity": np.repeat(curve, 5)})) < 100_000 * 8
