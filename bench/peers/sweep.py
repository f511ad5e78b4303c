"""The same sweep by vectorbt and backtesting.py: run by `.venv-peers`, told by `bench/sweep.py`; prints JSON.

Each takes a part of the points that it can do in some seconds, in two processes where two processors are there, as its
users would run it. A decision made at a close fills at the next one's price, which is what the platform's quotes do.
"""

import argparse
import json
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.sweeps.ground import CASH_AUD, FEE_BPS, closes, hash_of

_CHUNK = 125
VECTORBT_POINTS, BACKTESTING_POINTS = 1_000, 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, required=True)
    parser.add_argument("--points", type=Path, required=True, help="a JSON list of fast_bars and slow_bars")
    asked = parser.parse_args()
    points = [(each["fast_bars"], each["slow_bars"]) for each in json.loads(asked.points.read_text())]
    shown = {
        "vectorbt": _timed(_vectorbt, points[:VECTORBT_POINTS], asked.bars, _CHUNK),
        "backtesting.py": _timed(_backtesting, points[:BACKTESTING_POINTS], asked.bars, 4),
    }
    print(json.dumps(shown))


def _timed(work: Any, points: list[tuple[int, int]], bars: int, chunk: int) -> dict[str, Any]:
    parts = [points[at : at + chunk] for at in range(0, len(points), chunk)]
    processes = min(2, os.cpu_count() or 1)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        # Imports and compilation are not the sweep.
        list(pool.map(work, [points[:2]] * processes, [bars] * processes))
        began = time.perf_counter()
        done = list(pool.map(work, parts, [bars] * len(parts)))
        took = time.perf_counter() - began
        peak = sum(sorted({pid: kb for _, pid, kb in done}.values())) / 1024
    trades = [count for part, _, _ in done for count in part]
    return {
        "points": len(points),
        "seconds": took,
        "points_per_s": len(points) / took,
        "peak_mb": peak,
        "hash": hash_of(trades),
    }


def _vectorbt(points: list[tuple[int, int]], bars: int) -> tuple[list[int], int, int]:
    import pandas as pd
    import vectorbt as vbt

    prices = pd.Series(closes(bars))
    fast = vbt.MA.run(prices, [f for f, _ in points], short_name="fast")
    slow = vbt.MA.run(prices, [s for _, s in points], short_name="slow")
    above = (fast.ma.to_numpy() > slow.ma.to_numpy()).astype(bool)
    before = np.vstack([np.zeros((1, above.shape[1]), bool), above[:-1]])
    wanted = before
    entries = wanted & ~np.vstack([np.zeros((1, above.shape[1]), bool), wanted[:-1]])
    exits = ~wanted & np.vstack([np.zeros((1, above.shape[1]), bool), wanted[:-1]])
    portfolio = vbt.Portfolio.from_signals(
        prices, entries, exits, init_cash=CASH_AUD, fees=FEE_BPS / 10_000, freq="5min"
    )
    portfolio.sharpe_ratio()
    return portfolio.orders.count().astype(int).tolist(), os.getpid(), _peak()


def _backtesting(points: list[tuple[int, int]], bars: int) -> tuple[list[int], int, int]:
    import pandas as pd
    from backtesting import Backtest, Strategy

    prices = closes(bars)
    times = pd.date_range("2015-01-01", periods=bars, freq="5min")
    frame = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), prices), index=times)

    def mean(values: Any, window: int) -> Any:
        return pd.Series(values).rolling(window).mean()

    class Crossover(Strategy):
        fast, slow = 10, 50

        def init(self) -> None:
            self.quick = self.I(mean, self.data.Close, self.fast)
            self.calm = self.I(mean, self.data.Close, self.slow)

        def next(self) -> None:
            above = self.quick[-1] > self.calm[-1]
            if above and not self.position:
                self.buy()
            elif not above and self.position:
                self.position.close()

    counts = []
    for fast, slow in points:
        # Whole coins only: so a coin is cut into many.
        cut = frame / 1e6
        stats = Backtest(cut, Crossover, cash=CASH_AUD, commission=FEE_BPS / 10_000).run(fast=fast, slow=slow)
        closed = stats["_trades"]
        counts.append(2 * len(closed))
    return counts, os.getpid(), _peak()


def _peak() -> int:
    """The largest memory of this process, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
