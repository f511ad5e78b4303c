from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.ledger.collector import board_of
from omc.trading.window import Window, last_bids, prices
from tests.actors.mortal import market


@given(st.integers(1, 7), st.integers(0, 20), st.integers(1, 30))
def test_a_window_is_the_tail_of_all_that_came(bars: int, before: int, rows: int) -> None:
    frame = market(before + rows)[0].frame
    window = Window(frame.rows(0, before), bars)
    for row in range(before, before + rows):
        assert before == 0 or window.follows(frame.time(row))
        window.append(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row])
        seen, tail = window.frame(), frame.rows(max(0, row + 1 - bars), row + 1)
        for name in ("times", "bid", "ask", "last"):
            np.testing.assert_array_equal(getattr(seen, name), getattr(tail, name))


def test_a_bar_follows_when_none_can_be_missing() -> None:
    frame = market(3)[0].frame
    window = Window(frame, 2)
    last = frame.time(-1)
    assert window.last_time == last
    assert window.follows(last + timedelta(minutes=5))
    assert not window.follows(last)
    assert not window.follows(last + timedelta(minutes=10))
    assert not Window(frame.rows(0, 0), 2).follows(last)


def test_an_algorithm_cannot_change_what_it_sees() -> None:
    window = Window(market(3)[0].frame, 2)
    with pytest.raises(ValueError, match="read-only"):
        window.frame().bid[0, 0] = 1.0


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least its own bar"):
        Window(market(3)[0].frame, 0)


def test_a_board_and_a_row_say_the_same() -> None:
    frame = market(20)[0].frame
    for row in range(20):
        bid, ask, last = prices(board_of(frame, row), frame.coins)
        np.testing.assert_array_equal(bid, frame.bid[row])
        np.testing.assert_array_equal(ask, frame.ask[row])
        np.testing.assert_array_equal(np.isnan(last), np.isnan(frame.bid[row]))


def test_the_last_bid_is_the_last_one_quoted() -> None:
    frame = market(20)[0].frame
    assert last_bids(frame.rows(0, 0)) == {}
    for at, coin in enumerate(frame.coins):
        quoted = frame.bid[~np.isnan(frame.bid[:, at]), at]
        assert last_bids(frame)[coin] == quoted[-1]
