"""The barest loop that does a sweep's work: rolling means shared between points, signals, fills, equity and Sharpe."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

from bench.sweeps.ground import CASH_AUD, FEE_BPS

YEAR_BARS = 365 * 288


@numba.njit(nogil=True, cache=True)
def rolling_mean(prices, window):  # type: ignore[no-untyped-def]
    means = np.full(prices.shape[0], np.nan)
    total = 0.0
    for t in range(prices.shape[0]):
        total += prices[t]
        if t >= window:
            total -= prices[t - window]
        if t >= window - 1:
            means[t] = total / window
    return means


@numba.njit(nogil=True, cache=True)
def one(prices, fast, slow, equity, cash, fee):  # type: ignore[no-untyped-def]
    """Trades, final equity and annualized Sharpe ratio; `equity` is written to."""
    held, trades, wanted = 0.0, 0, False
    total, squares = 0.0, 0.0
    before = cash
    for t in range(prices.shape[0]):
        if wanted and held == 0.0:
            held = cash / (prices[t] * (1.0 + fee))
            cash = 0.0
            trades += 1
        elif not wanted and held > 0.0:
            cash = held * prices[t] * (1.0 - fee)
            held = 0.0
            trades += 1
        worth = cash + held * prices[t]
        equity[t] = worth
        if t:
            gained = worth / before - 1.0
            total += gained
            squares += gained * gained
        before = worth
        wanted = fast[t] > slow[t]
    n = prices.shape[0] - 1
    mean = total / n
    deviation = np.sqrt(max(squares - n * mean * mean, 0.0) / (n - 1))
    return trades, worth, mean / deviation * np.sqrt(YEAR_BARS) if deviation > 0.0 else np.nan


def sweep(prices: np.ndarray, points: list[dict[str, int]], threads: int) -> dict[str, Any]:
    """Every point, on `threads` threads that share the means."""
    began = time.perf_counter()
    windows = sorted({window for point in points for window in point.values()})
    with ThreadPoolExecutor(threads) as pool:
        means = dict(zip(windows, pool.map(lambda window: rolling_mean(prices, window), windows), strict=True))
        order = sorted(range(len(points)), key=lambda at: (points[at]["slow_bars"], points[at]["fast_bars"]))
        shown: list[Any] = [None] * len(points)

        def some(part: list[int]) -> None:
            equity = np.empty(len(prices))
            for at in part:
                fast, slow = means[points[at]["fast_bars"]], means[points[at]["slow_bars"]]
                shown[at] = one(prices, fast, slow, equity, float(CASH_AUD), FEE_BPS / 10_000)

        size = max(1, len(order) // (8 * threads))
        list(pool.map(some, [order[start : start + size] for start in range(0, len(order), size)]))
    took_s = time.perf_counter() - began
    return {"seconds": took_s, "trades": [each[0] for each in shown], "final": [each[1] for each in shown]}
