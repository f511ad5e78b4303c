"""Frames: rows by time, and joining."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from omc.feature.frame import Frame, as_datetime64

START = datetime(2025, 1, 1, tzinfo=UTC)


def frame(first: int, rows: int, coins: tuple[str, ...] = ("BTC", "ETH")) -> Frame:
    times = np.array([as_datetime64(START + timedelta(minutes=5 * (first + i))) for i in range(rows)])
    prices = np.arange(first, first + rows, dtype=float).reshape(-1, 1) + 1 + np.zeros(len(coins))
    return Frame(times.astype("datetime64[us]"), coins, prices, prices, prices)


@pytest.mark.parametrize(("minutes", "row"), [(-5, 0), (0, 0), (1, 1), (5, 1), (15, 3), (16, 4)])
def test_the_first_row_at_or_after_a_time(minutes, row):
    assert frame(0, 4).first_row(START + timedelta(minutes=minutes)) == row


def test_joining_keeps_the_earlier_rows_where_both_have_one():
    joined = frame(0, 4).followed_by(frame(2, 4))
    assert len(joined) == 6
    assert (joined.bid[:, 0] == np.arange(1, 7)).all()
    assert len(frame(0, 0).followed_by(frame(0, 2))) == 2


def test_joining_other_coins_is_refused():
    with pytest.raises(ValueError, match="cannot join"):
        frame(0, 2).followed_by(frame(2, 2, ("BTC", "XRP")))


def test_the_length_of_a_bar_is_the_usual_one():
    assert frame(0, 4).bar_s == 300.0
    assert np.isnan(frame(0, 1).bar_s)
