"""How long one backtest takes, beside the barest loop that makes the same trades and, with `--peers PYTHON`, beside
vectorbt and backtesting.py as that Python has them.

100,000 bars of one coin, a moving-average crossover of 10 and 50, long only, all in, decided at the close and filled at
the next open. The kernel runs lean (a fee of 0.1 %) and with every cost and stop switched on; the bare loop is extended
to match. A hash of the trades (row and side) stands beside each time: compare times only where it is the same.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from bench.backtests import bare  # noqa: E402
from omc.backtest.cost import Costs, Slippage  # noqa: E402
from omc.backtest.kernel import Buffers, simulate  # noqa: E402
from omc.backtest.market import Market  # noqa: E402
from omc.feature.indicator import Indicators  # noqa: E402
from omc.trading.exits import Exits  # noqa: E402

FEW, MANY, CASH, FEE = 10, 50, 10_000.0, 0.001
FULL = Exits(
    stop_loss=0.02,
    trailing=0.015,
    trailing_tight=0.008,
    trailing_offset=0.01,
    take_profit=((0, 0.03), (60, 0.005)),
    time_stop_bars=100,
)
BPS, VOLUME_BPS, SHARE, LOT, TICK, LEAST = 5.0, 10.0, 0.5, 1e-6, 0.01, 1.0
Made = list[tuple[int, int]]


def candles(bars: int) -> np.ndarray:
    """Open, high, low, close and volume, (5, T), from a seed; prices in cents."""
    rng = np.random.default_rng(7)
    closes = 60_000 * np.exp(np.cumsum(rng.normal(0.000004, 0.0016, bars)))
    opens = np.concatenate([[60_000.0], closes[:-1]]) * np.exp(rng.normal(0, 0.0001, bars))
    highs = np.maximum(opens, closes) * (1 + rng.exponential(0.0006, bars))
    lows = np.minimum(opens, closes) * (1 - rng.exponential(0.0006, bars))
    prices = np.round(np.stack([opens, highs, lows, closes]), 2)
    return np.vstack([prices, np.round(rng.uniform(20, 100, bars), 4)])


def hashed(made: Made) -> str:
    return hashlib.sha256(json.dumps(made).encode()).hexdigest()[:8]


def timed(run: Callable[[], Any], times: int) -> tuple[float, float]:
    """Best and median seconds of a run, once it is compiled."""
    run()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return min(took), sorted(took)[times // 2]


def of_bare(
    run: Callable[..., int], bars: int, *inputs: Any
) -> tuple[Callable[[], int], Callable[[], tuple[Made, float]]]:
    """How to run it, and what came of it."""
    rows, sides, equity = np.empty(bars, np.int64), np.empty(bars, np.int64), np.empty(bars)

    def shown() -> tuple[Made, float]:
        made = run(*inputs, rows, sides, equity)
        return list(zip(rows[:made].tolist(), sides[:made].tolist(), strict=True)), float(equity[-1])

    return lambda: run(*inputs, rows, sides, equity), shown


def of_kernel(run: Callable[[], Any]) -> tuple[Callable[[], Any], Callable[[], tuple[Made, float]]]:
    def shown() -> tuple[Made, float]:
        done = run()
        return list(zip(done.trades["row"].tolist(), done.trades["side"].tolist(), strict=True)), float(done.equity[-1])

    return run, shown


def contenders(prices: np.ndarray) -> dict[str, tuple[Callable[[], Any], Callable[[], tuple[Made, float]]]]:
    """By name; those of one group are compared with its first."""
    bars = prices.shape[1]
    columns = [np.ascontiguousarray(row.reshape(-1, 1)) for row in prices]
    market = Market.candles(*columns[:4], volume=columns[4])
    opens, highs, lows, closes, volumes = (np.ascontiguousarray(row) for row in prices)
    fees = np.array([round(FEE * 10_000)], np.int64)
    plain = Costs(fees, min_order_aud=0.0, band=0.0)
    rough = Costs(
        fees,
        min_order_aud=LEAST,
        band=0.0,
        slippage=Slippage(BPS, VOLUME_BPS),
        volume_share=SHARE,
        quantity_step=LOT,
        price_step=TICK,
    )
    means = Indicators(columns[3])
    fast, slow = means.mean(FEW)[:, 0], means.mean(MANY)[:, 0]
    weights, buffers = np.where(fast > slow, 1.0, 0.0).reshape(-1, 1), Buffers()

    def kernel(costs: Costs, exits: Exits, kept: Buffers | None = buffers) -> Any:
        return simulate(market, weights, costs, cash_aud=CASH, exits=exits, buffers=kept)

    def with_means() -> Any:
        fresh = Indicators(columns[3])
        wanted = np.where(fresh.mean(FEW) > fresh.mean(MANY), 1.0, 0.0)
        return simulate(market, wanted, plain, cash_aud=CASH, exits=Exits(), buffers=buffers)

    costs = (BPS, VOLUME_BPS, SHARE, LOT, TICK, LEAST)
    exits = (FULL.stop_loss, FULL.trailing, FULL.trailing_tight, FULL.trailing_offset, float(FULL.time_stop_bars))
    ages, gains = (np.array(each, np.float64) for each in zip(*FULL.take_profit, strict=True))
    every = (opens, highs, lows, closes, volumes)
    return {
        "lean: bare loop": of_bare(bare.lean, bars, opens, closes, fast, slow, CASH, FEE),
        "lean: kernel": of_kernel(lambda: kernel(plain, Exits())),
        "lean: kernel, memory of its own": of_kernel(lambda: kernel(plain, Exits(), None)),
        "means: bare loop": of_bare(bare.one_pass, bars, opens, closes, FEW, MANY, CASH, FEE),
        "means: kernel": of_kernel(with_means),
        "every cost and stop: bare loop": of_bare(
            bare.full, bars, every, fast, slow, CASH, FEE, costs, exits, ages, gains
        ),
        "every cost and stop: kernel": of_kernel(lambda: kernel(rough, FULL)),
    }


def peers(python: Path, prices: np.ndarray) -> dict[str, dict[str, Any]]:
    """What each peer that `python` has made of it."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prices.npy"
        np.save(path, prices[:4])
        script = ROOT / "bench" / "backtests" / "peer.py"
        for name in ("vectorbt", "backtesting.py"):
            done = subprocess.run([python, script, name, path], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                found[name] = json.loads(done.stdout)
            else:
                say(f"{name:<38} did not run: {done.stderr.strip().splitlines()[-1:]}")
    return found


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=31)
    parser.add_argument("--peers", type=Path, help="a Python that has vectorbt and backtesting.py")
    asked = parser.parse_args()
    prices = candles(asked.bars)
    say(f"{'':<38} {'best':>9} {'median':>9} {'ratio':>7}  {'trades':>6} {'hash':>8} {'at the end':>12}")
    group, best, lean = "", 0.0, 0.0
    for name, (run, shown) in contenders(prices).items():
        quickest, median = timed(run, asked.times)
        made, final = shown()
        if name.split(":")[0] != group:
            group, best = name.split(":")[0], quickest
        lean = quickest if name == "lean: kernel" else lean
        say(
            f"{name:<38} {quickest * 1e3:>6.3f} ms {median * 1e3:>6.3f} ms {quickest / best:>6.2f}x"
            f"  {len(made):>6} {hashed(made)} {final:>12.2f}"
        )
    for name, found in (peers(asked.peers, prices) if asked.peers else {}).items():
        made = [(row, side) for row, side in found["made"]]
        say(
            f"{name:<38} {'':>9} {found['seconds'] * 1e3:>6.0f} ms {found['seconds'] / lean:>6.0f}x"
            f"  {len(made):>6} {hashed(made)} {found['final']:>12.2f}"
        )


if __name__ == "__main__":
    main()
