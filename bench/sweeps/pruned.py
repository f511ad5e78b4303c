"""Whether a pruned search finds what the whole one finds, and for how much of the work."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.sweeps.cluster import asked, frame, on_cluster
from omc.backtest.run import RunStatus
from omc.backtest.sweep import MemorySweepStore, Sweep
from omc.clock import ManualClock
from omc.market.terms import Terms

POINTS, FOLDS = 1_000, 6
SEEDS = (7, 8, 9)


def measure(bars: int) -> dict[str, Any]:
    """For some markets: the best mean out-of-sample Sharpe ratio of both searches, and the bars that each looked at."""
    with on_cluster():
        shown = [asyncio.run(_both(bars, seed)) for seed in SEEDS]
    print(f"{POINTS:,} points, {FOLDS} anchored folds, {bars:,} bars; the best mean Sharpe ratio out of sample")
    for each in shown:
        print(
            f"market {each['seed']}: whole {each['whole']:8.4f}, pruned {each['pruned']:8.4f} "
            f"({each['apart']:.1%} apart) with {each['part']:.3f} of the bars"
        )
    print("meant to be: within 5 %, with at most 0.333")
    return {"points": POINTS, "folds": FOLDS, "markets": shown}


async def _both(bars: int, seed: int) -> dict[str, Any]:
    found = []
    for prune in (False, True):
        wanted = replace(asked(POINTS, bars), folds=FOLDS, prune=prune)
        store = MemorySweepStore(ManualClock(wanted.created_at))
        await store.create(wanted)
        ended = await _carried_out(wanted, bars, seed, store)
        points = store.points[ended.id].values()
        best = max((p for p in points if len(p.fold_scores) == FOLDS), key=lambda point: np.mean(point.fold_scores))
        looked_at = sum(point.metrics["bars"] or 0 for point in points)
        found.append((float(np.mean(best.fold_scores)), looked_at))
    (whole, all_bars), (pruned, some_bars) = found
    return {
        "seed": seed,
        "whole": whole,
        "pruned": pruned,
        "apart": (whole - pruned) / abs(whole),
        "part": some_bars / all_bars,
    }


async def _carried_out(wanted: Sweep, bars: int, seed: int, store: MemorySweepStore) -> Sweep:
    from tune_jobs.sweep import run

    with tempfile.TemporaryDirectory() as scratch:
        ended = await run(wanted, frame(bars, seed), store, Terms(), scratch=Path(scratch))
    if ended.status is not RunStatus.COMPLETED:
        raise SystemExit(f"the sweep ended {ended.status}: {ended.error_message}")
    return ended
