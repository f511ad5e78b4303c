"""Quotes gathered into longer bars."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from omc.feature.frame import FloatArray, TimeArray


@dataclass(frozen=True, slots=True)
class Candles:
    """Open, high, low and close of one coin's last price, in AUD; `times` are when the bars began. A bar in which the
    coin was never quoted is not there: nothing is made up."""

    times: TimeArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray

    def __len__(self) -> int:
        return len(self.times)


def candles(times: TimeArray, price: FloatArray, interval: timedelta) -> Candles:
    """Bars of `interval`, which begin at its multiples since 1970 in UTC. `times` is (T,) datetime64[us] and rises;
    `price` is (T,) and NaN where there was no quote."""
    quoted = ~np.isnan(price)
    times, price = times[quoted], price[quoted]
    if len(times) == 0:
        nothing = np.empty(0)
        return Candles(times, nothing, nothing, nothing, nothing)
    step = np.timedelta64(interval // timedelta(microseconds=1), "us")
    epoch = np.datetime64(0, "us")
    bar = (times - epoch) // step
    first = np.flatnonzero(np.concatenate(([True], bar[1:] != bar[:-1])))
    last = np.concatenate((first[1:], [len(bar)])) - 1
    return Candles(
        times=epoch + bar[first] * step,
        open=price[first],
        high=np.maximum.reduceat(price, first),
        low=np.minimum.reduceat(price, first),
        close=price[last],
    )
