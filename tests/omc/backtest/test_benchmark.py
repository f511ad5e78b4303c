"""Buying once and holding, at the prices and fees of everybody else."""

import numpy as np
import pytest

from omc.backtest.benchmark import buy_and_hold
from omc.feature.frame import Frame

NAN = float("nan")


def frame(bid, ask):
    times = np.datetime64("2025-01-01", "us") + np.arange(len(bid)) * np.timedelta64(300, "s")
    bid, ask = np.array(bid, float), np.array(ask, float)
    return Frame(times, tuple("ABCDEF"[: bid.shape[1]]), bid, ask, bid)


def test_it_is_bought_at_the_second_bars_ask_with_the_fee_inside_and_marked_at_the_bid():
    worth = buy_and_hold(frame([[10.0], [20.0], [30.0]], [[10.0], [25.0], [30.0]]), 1_010.0, [100])
    assert worth.tolist() == pytest.approx([1_010.0, 1_000 / 25 * 20, 1_000 / 25 * 30])


def test_each_coin_gets_an_equal_part_and_waits_until_it_is_quoted():
    worth = buy_and_hold(
        frame([[1.0, NAN], [1.0, NAN], [2.0, 5.0], [NAN, 10.0]], [[1.0, 1.0]] * 2 + [[2.0, 5.0]] * 2), 100.0, [0, 0]
    )
    assert worth.tolist() == pytest.approx([100.0, 100.0, 150.0, 200.0])


def test_a_coin_that_is_never_quoted_again_leaves_its_part_in_cash():
    assert buy_and_hold(frame([[1.0, 1.0], [2.0, NAN]], [[1.0, 1.0], [2.0, NAN]]), 100.0, [0, 0]).tolist() == [
        100.0,
        100.0,
    ]
