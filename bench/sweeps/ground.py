"""What every side of the comparison sweeps: one coin without a spread, a moving-average crossover, all in."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

COIN = "BTC"
START = datetime(2015, 1, 1, tzinfo=UTC)
CASH_AUD = 10_000
FEE_BPS = 10
"""What `omc.market.terms` takes off a coin with a market."""
SPACE: dict[str, Any] = {
    "fast_bars": {"low": 3, "high": 96, "log": True, "integer": True},
    "slow_bars": {"low": 100, "high": 1_000, "log": True, "integer": True},
}
SEED = 7


def closes(bars: int) -> np.ndarray:
    walk = np.random.default_rng(SEED).normal(0, 0.002, bars).cumsum()
    return np.round(60_000 * np.exp(walk), 2)


def times(bars: int) -> np.ndarray:
    return np.arange(bars) * np.timedelta64(300, "s") + np.datetime64(START.replace(tzinfo=None), "us")


def body(points: int, bars: int, **more: Any) -> dict[str, Any]:
    """A request for a sweep."""
    return {
        "coins": [COIN],
        "start_date": START.isoformat(),
        "end_date": (START + timedelta(minutes=5 * (bars - 1))).isoformat(),
        "initial_cash": str(CASH_AUD),
        "rebalance_band": 0.5,
        "space": SPACE,
        "method": "random",
        "points": points,
        "seed": SEED,
        **more,
    }


def hash_of(trades: Iterable[int]) -> str:
    """Of the number of trades of every point, in their order."""
    return hashlib.sha256(json.dumps([int(each) for each in trades]).encode()).hexdigest()[:12]
