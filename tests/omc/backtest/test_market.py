"""Candles and quotes are one kind of market."""

import numpy as np
import pytest

from omc.backtest.market import Market
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame


def column(*prices: float) -> FloatArray:
    return np.array(prices).reshape(-1, 1)


def test_quotes_execute_and_mark_at_the_bid() -> None:
    times = np.array(["2025-01-01T00:00", "2025-01-01T00:05"], "datetime64[us]")
    frame = Frame(times, ("BTC",), column(1, 2), column(1.5, 2.5), column(1.2, 2.2))
    market = Market.quoted(frame)
    assert market.close is market.bid is frame.bid
    assert market.high is market.low is None


def test_a_spread_lies_around_a_candles_prices() -> None:
    market = Market.candles(column(100), column(110), column(90), column(105), spread_bps=100)
    assert market.bid.tolist() == [[99.5]]
    assert market.ask.tolist() == [[100.5]]
    assert market.high is not None
    assert market.low is not None
    assert (market.high.tolist(), market.low.tolist()) == ([[109.45]], [[89.55]])
    assert market.close.tolist() == [[104.475]]


def test_a_candle_with_a_gap_is_not_quoted_at_all() -> None:
    nan = float("nan")
    market = Market.candles(column(100, 100), column(110, nan), column(90, 90), column(105, 105))
    for prices in (market.bid, market.ask, market.high, market.low, market.close):
        assert prices is not None
        assert np.isnan(prices[1, 0])
        assert not np.isnan(prices[0, 0])


@pytest.mark.parametrize("wrong", [(100, 99, 90, 95), (100, 110, 101, 105), (100, 110, 90, 80)])
def test_a_candle_whose_prices_contradict_each_other_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(InvalidInput, match="row 0, coin 0"):
        Market.candles(*(column(price) for price in wrong))


def test_arrays_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="volume has shape"):
        Market(column(1, 2), column(1, 2), column(1, 2), volume=column(1))
    with pytest.raises(ValueError, match="both a high and a low"):
        Market(column(1), column(1), column(1), high=column(1))
