"""From the request over HTTP to the stored results, on the platform as it runs."""

import asyncio
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.boot import start
from bench.sweeps import bare, ground
from bench.sweeps.memory import Memory
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.prices import PostgresPrices
from omc.cli.platform import Platform
from omc.feature.frame import Frame

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
_WARM_POINTS = 50
_LOOK_S, _LOOK_PART = 0.05, 0.02
_LIMITS = {1_000: "6 s", 10_000: "20 x vectorbt", 100_000: "100 x vectorbt, half of the bare kernel"}


def measure(points: list[int], bars: int) -> dict[str, Any]:
    prices = ground.closes(bars)
    figures: dict[str, Any] = {"sweeps": []}
    home = Path(tempfile.mkdtemp(prefix="omc-bench-"))
    platform, _, url = start(home)
    try:
        asyncio.run(_load(home, prices))
        with Platform(url, home) as there:
            algorithm = _algorithm(there)
            # Once, so that what is compiled is on the disk: a platform that has run before starts so.
            _sweep(there, platform.pid, algorithm, _WARM_POINTS, bars)
            for count in points:
                figures["sweeps"].append(_sweep(there, platform.pid, algorithm, count, bars))
    finally:
        platform.send_signal(signal.SIGTERM)
        platform.wait(60)
        shutil.rmtree(home, ignore_errors=True)
    peers = _peers(bars, max((each["parameters"] for each in figures["sweeps"]), key=len))
    figures["peers"] = peers
    print(f"moving-average crossover, {bars:,} bars, {os.cpu_count()} CPUs; submit to stored results")
    for shown in figures["sweeps"]:
        _beside(shown, prices, peers)
    return figures


async def _load(home: Path, prices: np.ndarray) -> None:
    column = prices[:, None]
    database = Database(home / "run" / "database.dsn")
    await PostgresPrices(database).load(Frame(ground.times(len(prices)), (ground.COIN,), column, column, column))
    await database.close()


def _algorithm(there: Platform) -> str:
    there.register("bench@example.org", "a long word for the bench", "Bench")
    there.log_in("bench@example.org", "a long word for the bench")
    made = there.post("/lab/algorithms", {"name": "bench", "algorithm_type": "moving_average_crossover"})
    return str(made["id"])


def _sweep(there: Platform, pid: int, algorithm: str, points: int, bars: int, **more: Any) -> dict[str, Any]:
    """Seconds from the request to its end, to the first stored batch, and the largest memory of all workers."""
    watch = Memory(pid)
    with watch:
        began = time.perf_counter()
        asked = there.post(f"/lab/algorithms/{algorithm}/sweeps", ground.body(points, bars, **more))
        first = None
        while True:
            sweep = there.get(f"/lab/sweeps/{asked['id']}")
            if first is None and sweep["done"]:
                first = time.perf_counter() - began
            if sweep["status"] not in ("queued", "running"):
                break
            # As somebody who waits looks: so seldom that the answers take nothing from the sweep.
            time.sleep(max(_LOOK_S, _LOOK_PART * (time.perf_counter() - began)))
        took = time.perf_counter() - began
    if sweep["status"] != "completed":
        raise SystemExit(f"the sweep ended {sweep['status']}: {sweep['error_message']}")
    rows = list(csv.DictReader(io.StringIO(there.text(f"/lab/sweeps/{asked['id']}/results?format=csv&sort=index"))))
    return {
        "points": points,
        "seconds": took,
        "first_s": first,
        "points_per_s": points / took,
        "workers_mb": watch.most["workers"],
        "driver_mb": watch.most["driver"],
        "parameters": [{each: int(row[each]) for each in ("fast_bars", "slow_bars")} for row in rows],
        "trades": [int(float(row["trades"])) for row in rows],
        "final": [ground.CASH_AUD * (1 + float(row["total_return"])) for row in rows],
    }


def _peers(bars: int, points: list[dict[str, int]]) -> dict[str, Any]:
    """What peers do a second, in this run; nothing where they are not installed."""
    if not PEERS.exists():
        print("peers are not installed: `make peers`")
        return {}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(points[:1_000], file)
        file.flush()
        words = [PEERS, ROOT / "bench" / "peers" / "sweep.py", "--bars", str(bars), "--points", file.name]
        asked = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    shown: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    return shown


def _beside(shown: dict[str, Any], prices: np.ndarray, peers: dict[str, Any]) -> None:
    parameters, trades, final = (shown.pop(each) for each in ("parameters", "trades", "final"))
    bare.sweep(prices[:2_000], parameters[:4], 2)
    alone = bare.sweep(prices, parameters, os.cpu_count() or 1)
    apart = np.abs(np.array(final) / np.array(alone["final"]) - 1).max()
    shown |= {
        "hash": ground.hash_of(trades),
        "bare_hash": ground.hash_of(alone["trades"]),
        "bare_points_per_s": shown["points"] / alone["seconds"],
        "largest_difference": float(apart),
    }
    shown["over_bare"] = shown["points_per_s"] / shown["bare_points_per_s"]
    print(
        f"{shown['points']:>8,} points  {shown['seconds']:6.2f} s  {shown['points_per_s']:8,.0f} points/s  "
        f"{shown['hash']}  first batch stored after {shown['first_s'] or shown['seconds']:.2f} s, workers "
        f"{shown['workers_mb']:.0f} MB, driver {shown['driver_mb']:.0f} MB"
    )
    print(
        f"{'bare kernel':>15}  {alone['seconds']:6.2f} s  {shown['bare_points_per_s']:8,.0f} points/s  "
        f"{shown['bare_hash']}  we are {shown['over_bare']:.2f} x; final equities within {apart:.1e}"
    )
    for peer, did in peers.items():
        hash_of_ours = ground.hash_of(trades[: did["points"]])
        ratio = shown["points_per_s"] / did["points_per_s"]
        shown[f"over_{peer}"] = ratio
        same = "same trades" if did["hash"] == hash_of_ours else f"{hash_of_ours} of ours"
        print(
            f"{peer:>15}  {did['seconds']:6.2f} s  {did['points_per_s']:8,.1f} points/s  {did['hash']}  "
            f"we are {ratio:,.0f} x; {did['points']} points, {same}, {did['peak_mb']:.0f} MB"
        )
    limit = _LIMITS.get(shown["points"])
    print(f"{'':>15}  meant to be: {limit}\n" if limit else "")
