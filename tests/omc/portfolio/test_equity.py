"""The worth of a deployment, bar by bar."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from omc.feature.frame import Frame, as_datetime64
from omc.portfolio.equity import carried_forward, equity_curve
from omc.trading.fill import Fill, Side

START = datetime(2025, 6, 1, tzinfo=UTC)
BAR = timedelta(minutes=5)


def frame(*bids: list[float]) -> Frame:
    bid = np.array(bids)
    times = np.array([as_datetime64(START + row * BAR) for row in range(len(bid))])
    return Frame(times, ("BTC", "DOGE")[: bid.shape[1]], bid, bid * 1.01, bid)


def fill(side: Side, row: int, quantity: str, total: str, coin: str = "BTC") -> Fill:
    return Fill(f"{side}-{row}", coin, side, Decimal(quantity), Decimal(total), Decimal(0), START + row * BAR)


def test_a_fill_counts_in_the_row_at_whose_time_it_was_made():
    prices = frame([100.0], [110.0], [120.0], [130.0])
    fills = [fill(Side.SELL, 2, "0.5", "60"), fill(Side.BUY, 1, "1", "110")]
    assert equity_curve(prices, Decimal(1000), fills).tolist() == [1000.0, 1000.0, 1010.0, 1015.0]


def test_a_fill_between_two_rows_counts_in_the_later_and_one_after_the_last_is_left_out():
    prices = frame([100.0], [110.0])
    late = Fill("late", "BTC", Side.BUY, Decimal(1), Decimal(105), Decimal(0), START + BAR / 2)
    beyond = Fill("beyond", "BTC", Side.BUY, Decimal(1), Decimal(1), Decimal(0), START + 2 * BAR)
    assert equity_curve(prices, Decimal(1000), [late, beyond]).tolist() == [1000.0, 1005.0]


def test_a_missing_bid_is_carried_forward_and_one_never_seen_counts_nothing():
    nan = float("nan")
    prices = frame([100.0, nan], [nan, nan], [90.0, 2.0])
    fills = [fill(Side.BUY, 0, "1", "100"), fill(Side.BUY, 0, "10", "15", "DOGE")]
    assert equity_curve(prices, Decimal(1000), fills).tolist() == [985.0, 985.0, 995.0]
    assert np.isnan(carried_forward(prices.bid)[1, 1])


def test_without_fills_the_cash_stands_still():
    assert equity_curve(frame([1.0], [2.0]), Decimal(5), []).tolist() == [5.0, 5.0]
