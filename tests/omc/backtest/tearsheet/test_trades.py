"""However long a window is, its candles can be read."""

import numpy as np
import pytest

from omc.backtest.tearsheet.trades import candle_chart, resampled
from omc.feature.frame import Frame


def window(bars, minutes=5):
    times = np.datetime64("2015-01-01", "us") + np.arange(bars) * np.timedelta64(minutes, "m")
    price = (100 + np.sin(np.arange(bars) / 9))[:, None] * np.array([1.0, 2.0])
    price[bars // 3, 0] = 150.0
    return Frame(times, ("BTC", "ETH"), price, price, price)


@pytest.mark.parametrize(("bars", "minutes"), [(3, 5), (1_000, 5), (100_000, 5), (300_000, 5), (5_000, 1_440)])
def test_any_length_becomes_a_readable_number_that_keeps_its_extremes(bars, minutes):
    frame = window(bars, minutes)
    drawn = resampled(frame)
    for at, coin in enumerate(frame.coins):
        assert len(drawn[coin]) <= 1_200
        assert len(drawn[coin]) >= min(bars, 300) - 1
        assert drawn[coin].high.max() == frame.last[:, at].max()
        assert drawn[coin].low.min() == frame.last[:, at].min()


def test_without_prices_there_is_no_chart():
    assert resampled(window(1)) == {}
    assert candle_chart({}, []) is None
