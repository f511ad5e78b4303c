"""Points a second on several simulated nodes of one CPU each, as far as this machine's processors tell."""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.sweeps.cluster import asked, frame, on_nodes
from bench.sweeps.ground import hash_of
from omc.backtest.run import RunStatus
from omc.backtest.sweep import MemorySweepStore
from omc.clock import ManualClock
from omc.market.terms import Terms


def measure(nodes: list[int], points: int, bars: int) -> list[dict[str, Any]]:
    print(f"{points:,} points, {bars:,} bars, nodes of one CPU each on a machine of {os.cpu_count()}")
    shown = []
    for count in nodes:
        with on_nodes(count):
            shown.append({"nodes": count, **asyncio.run(_sweep(points, bars))})
        each = shown[-1]
        ratio = each["points_per_s"] / shown[0]["points_per_s"]
        print(
            f"{count} nodes  {each['seconds']:6.2f} s  {each['points_per_s']:8,.0f} points/s  {each['hash']}  "
            f"{ratio:.2f} x one node"
        )
    return shown


async def _sweep(points: int, bars: int) -> dict[str, Any]:
    from tune_jobs.sweep import run

    wanted = asked(points, bars)
    store = MemorySweepStore(ManualClock(wanted.created_at))
    await store.create(wanted)
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        ended = await run(wanted, frame(bars, 7), store, Terms(), scratch=Path(scratch))
        took = time.perf_counter() - began
    if ended.status is not RunStatus.COMPLETED:
        raise SystemExit(f"the sweep ended {ended.status}: {ended.error_message}")
    trades = [int(store.points[ended.id][index].metrics["trades"] or 0) for index in range(points)]
    return {"seconds": took, "points_per_s": points / took, "hash": hash_of(trades)}
