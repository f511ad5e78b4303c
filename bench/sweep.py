"""How many points of a sweep are tried in a second: by the kernel alone, and through Ray Tune with all it brings along.

`python bench/sweep.py [--points 1000] [--bars 100000] [--json FILE]` sweeps a moving-average crossover over one coin,
on a local Ray cluster of its own. Both sides must come to the same figures, to the bit: their hash stands beside each.
"""

import argparse
import asyncio
import hashlib
import json
import logging
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
START = datetime(2024, 1, 1, tzinfo=UTC)
SPACE = {
    "fast_bars": {"low": 3, "high": 96, "log": True, "integer": True},
    "slow_bars": {"low": 100, "high": 1_000, "log": True, "integer": True},
}


def close_the_doors(folder: Path) -> None:
    """Ray reads this as it is imported: sockets on the loopback, and a token."""
    token = folder / "token"
    token.touch(0o600)
    token.write_text(secrets.token_hex(32))
    os.environ |= {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "PYTHONPATH": str(ROOT),
    }


def hash_of(figures: Iterable[tuple[int, tuple[float | None, ...]]]) -> str:
    return hashlib.sha256(repr(sorted(figures)).encode()).hexdigest()[:16]


async def measure(points: int, bars: int, cpus: int, folder: Path) -> dict[str, Any]:
    import numpy as np
    import ray

    from omc.backtest.ground import Ground
    from omc.backtest.run import BacktestSpec, RunStatus
    from omc.backtest.search_space import SearchSpace
    from omc.backtest.sweep import MemorySweepStore, Sweep
    from omc.clock import ManualClock
    from omc.feature.frame import Frame, as_datetime64
    from omc.market.terms import Terms
    from omc.strategy.registry import make
    from tune_jobs.batch import attempt
    from tune_jobs.sweep import run

    walk = np.random.default_rng(7).normal(0, 0.002, (bars, 1)).cumsum(axis=0)
    last = np.round(60_000 * np.exp(walk), 2)
    times = np.arange(bars) * np.timedelta64(300, "s") + as_datetime64(START)
    frame = Frame(times, ("BTC",), np.round(last * 0.9995, 2), np.round(last * 1.0005, 2), last)
    spec = BacktestSpec(
        algorithm_type="moving_average_crossover",
        parameters=make("moving_average_crossover", {}).get_params(),
        coins=("BTC",),
        start=START,
        end=START + timedelta(minutes=5 * bars),
        initial_cash_aud=Decimal(10_000),
        rebalance_band=0.02,
    )

    def sweep() -> Sweep:
        return Sweep(
            id=uuid4(),
            user_id=UUID(int=1),
            algorithm_id=uuid4(),
            algorithm_version=1,
            spec=spec,
            space=SPACE,
            method="random",
            points=points,
            seed=7,
            objective="sharpe",
            status=RunStatus.QUEUED,
            done=0,
            best=None,
            error_message=None,
            created_at=START,
            started_at=None,
            completed_at=None,
        )

    space, ground = SearchSpace.of(sweep()), Ground.of(spec, frame, Terms())
    attempt(ground, space, range(2))  # compiles, or finds what was compiled
    began = time.perf_counter()
    alone = attempt(ground, space, range(points))
    kernel_s = time.perf_counter() - began

    ray.init(
        num_cpus=cpus,
        include_dashboard=False,
        object_store_memory=200_000_000,
        log_to_driver=False,
        logging_level=logging.WARNING,
        _temp_dir=str(folder / "ray"),
    )
    sweeps = []
    for _ in range(2):
        asked, store = sweep(), MemorySweepStore(ManualClock(START))
        await store.create(asked)
        began = time.perf_counter()
        ended = await run(asked, frame, store, Terms())
        sweeps.append(time.perf_counter() - began)
        if ended.status is not RunStatus.COMPLETED:
            raise SystemExit(f"the sweep ended {ended.status}: {ended.error_message}")
    ray.shutdown()
    swept = [(index, tuple(point.metrics.values())) for index, point in store.points[asked.id].items()]
    return {
        "points": points,
        "bars": bars,
        "cpus": cpus,
        "kernel_s": kernel_s,
        "kernel_points_per_s": points / kernel_s,
        "sweep_s": sweeps,
        "sweep_points_per_s": points / min(sweeps),
        "sweep_over_kernel": kernel_s / min(sweeps),
        "kernel_hash": hash_of((index, figures) for index, figures, _ in alone),
        "sweep_hash": hash_of(swept),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--cpus", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omc-bench-") as folder:
        close_the_doors(Path(folder))
        figures = asyncio.run(measure(asked.points, asked.bars, asked.cpus, Path(folder)))
    first, second = figures["sweep_s"]
    print(f"{asked.points} points of a moving-average crossover over {asked.bars} bars, on {asked.cpus} CPUs")
    print(
        f"kernel alone, one process   {figures['kernel_s']:8.2f} s  {figures['kernel_points_per_s']:8.0f} points/s"
        f"  {figures['kernel_hash']}"
    )
    print(
        f"sweep on Ray Tune           {min(first, second):8.2f} s  {figures['sweep_points_per_s']:8.0f} points/s"
        f"  {figures['sweep_hash']}"
    )
    print(f"the sweep is {figures['sweep_over_kernel']:.2f} times as fast (first {first:.2f} s, second {second:.2f} s)")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2))
    if figures["kernel_hash"] != figures["sweep_hash"]:
        raise SystemExit("the results differ")


if __name__ == "__main__":
    main()
