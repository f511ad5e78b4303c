"""Measures of one coin at one moment, from nothing but what was quoted until then.

Prices are sampled backwards from the moment, one every step, so that no bar is half over: the sample of a time is the
newest price of the step that ends there, NaN where there was none. Half of what a measure looks at must be there, or it
is NaN. Fractions, not percents; a year has 365 days of trading.
"""

from datetime import timedelta
from math import sqrt

import numpy as np

from omc.feature.frame import FloatArray, TimeArray

_YEAR = timedelta(days=365)
_SHORTEST = timedelta(minutes=5)


def samples(times: TimeArray, price: FloatArray, until: np.datetime64, step: timedelta, count: int) -> FloatArray:
    """(count,) prices at `until` and every `step` before it, the oldest first. `times` is (T,) datetime64[us] and
    rises; `price` is (T,) and NaN where there was no quote."""
    ends = until - np.arange(count - 1, -1, -1) * np.timedelta64(step)
    return _newest(times, price, ends, np.timedelta64(step))


def gain(times: TimeArray, price: FloatArray, until: np.datetime64, span: timedelta) -> float:
    """p(until) / p(until - span) - 1, both prices being of the last 24th of the span, and of five minutes at least."""
    ends = np.array([until - np.timedelta64(span), until])
    before, now = _newest(times, price, ends, np.timedelta64(max(span / 24, _SHORTEST)))
    return float(now / before - 1)


def log_returns(sampled: FloatArray) -> FloatArray:
    """ln(p[i] / p[i - 1]); NaN beside a price that is missing."""
    return np.diff(np.log(sampled))


def volatility(returns: FloatArray, step: timedelta) -> float:
    """Sample standard deviation (ddof 1) of `returns`, times the square root of how many steps a year has."""
    known = returns[~np.isnan(returns)]
    if len(known) < 2 or 2 * len(known) < len(returns):
        return float("nan")
    return float(np.std(known, ddof=1)) * sqrt(_YEAR / step)


def correlation(left: FloatArray, right: FloatArray) -> float:
    """Pearson's, over the steps in which both have a return. NaN when either never varies."""
    both = ~np.isnan(left) & ~np.isnan(right)
    if both.sum() < 2 or 2 * both.sum() < len(left):
        return float("nan")
    one, other = left[both] - left[both].mean(), right[both] - right[both].mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    # What is left of rounding where nothing varies is no variation.
    tiny = 1e-12 * float(np.abs(left[both]).max() * np.abs(right[both]).max()) * len(one)
    return float(np.clip((one * other).sum() / scale, -1, 1)) if scale > tiny else float("nan")


def mean(sampled: FloatArray) -> float:
    """Of the prices that there are."""
    known = sampled[~np.isnan(sampled)]
    return float(known.mean()) if len(known) and 2 * len(known) >= len(sampled) else float("nan")


def spread_bps(bid: FloatArray, ask: FloatArray) -> FloatArray:
    """Ask less bid in basis points of the middle between them, elementwise."""
    return (ask - bid) / ((ask + bid) / 2) * 1e4


def _newest(times: TimeArray, price: FloatArray, ends: TimeArray, within: np.timedelta64) -> FloatArray:
    """The newest price later than `end - within` and not later than `end`, for each of `ends`."""
    quoted = ~np.isnan(price)
    known, prices = times[quoted], price[quoted]
    if not len(known):
        return np.full(len(ends), np.nan)
    at = np.searchsorted(known, ends, "right") - 1
    there = (at >= 0) & (known[np.maximum(at, 0)] > ends - within)
    return np.where(there, prices[np.maximum(at, 0)], np.nan)
