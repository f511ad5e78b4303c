"""A sweep of somebody's code beside one of the built-in algorithm that it is a copy of: both through Ray, from the call
to the last point stored, in the same run. All figures of all points must be the same, to the bit."""

import asyncio
import hashlib
import inspect
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.sweeps.cluster import asked, frame, on_cluster
from bench.sweeps.ground import hash_of
from bench.sweeps.memory import Memory
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.backtest.run import RunStatus
from omc.backtest.sweep import MemorySweepStore
from omc.backtest.tried import SweepPoint, Tried
from omc.clock import ManualClock
from omc.market.terms import Terms
from omc.strategy.maker import CUSTOM, Maker
from omc.strategy.moving_average_crossover import MovingAverageCrossover

OWN_SOURCE = Path(inspect.getfile(MovingAverageCrossover)).read_text()
WRITTEN = """
class Crossover:
    def __init__(self, fast_bars=12, slow_bars=72):
        self.fast_bars, self.slow_bars = fast_bars, slow_bars

    @property
    def memory_bars(self):
        return self.slow_bars

    def predict(self, frame):
        above = frame.indicators.mean(self.fast_bars) > frame.indicators.mean(self.slow_bars)
        quoted = ~np.isnan(frame.bid) & ~np.isnan(frame.ask)
        return (above & quoted) / len(frame.coins)
"""
SIDES = {"built in": None, "its own source": OWN_SOURCE, "somebody's code": WRITTEN}
_WARM_POINTS = 40


class Store(MemorySweepStore):
    """Remembers when it was given points."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.times: list[tuple[float, int]] = []

    async def add(self, sweep_id: Any, tried: Tried) -> Any:
        self.times.append((time.perf_counter(), len(tried)))
        return await MemorySweepStore.add(self, sweep_id, tried)


def measure(points: list[int], bars: int) -> list[dict[str, Any]]:
    """`points` are the sizes of the sweeps."""
    shown = []
    # One zygote for all processes, as on a platform.
    with tempfile.TemporaryDirectory() as folder, on_cluster():
        sandboxes = Sandboxes(meeting=Path(folder))
        try:
            for code in SIDES.values():
                # Once, so that what is compiled is on the disk.
                asyncio.run(_sweep(sandboxes, code, _WARM_POINTS, bars))
            for count in points:
                shown += _beside(sandboxes, count, bars)
        finally:
            sandboxes.close()
    return shown


def _beside(sandboxes: Sandboxes, points: int, bars: int) -> list[dict[str, Any]]:
    print(f"sweep of {points:,} points over {bars:,} bars, through Ray, from the call to the last point stored")
    sides: list[dict[str, Any]] = []
    for side, code in SIDES.items():
        found = {"side": side, **asyncio.run(_sweep(sandboxes, code, points, bars))}
        sides.append(found)
        first = sides[0]
        found["ratio"] = found["points_per_s"] / first["points_per_s"]
        found["steady_ratio"] = found["steady_points_per_s"] / first["steady_points_per_s"]
        memory = ", ".join(f"{what} {mb:.0f}" for what, mb in found["memory_mb"].items())
        print(
            f"  {side:>15}  {found['seconds']:6.2f} s  {found['points_per_s']:6,.0f} points/s  {found['ratio']:.2f} of "
            f"built in; once it runs {found['steady_points_per_s']:6,.0f} points/s  {found['steady_ratio']:.2f}; "
            f"{found['trades']:,} trades {found['hash']}, figures {found['figures']}; MB: {memory}"
        )
        if found["figures"] != first["figures"] or found["hash"] != first["hash"]:
            raise SystemExit(f"{side} shows other figures than what is built in")
    return sides


async def _sweep(sandboxes: Sandboxes, code: str | None, points: int, bars: int) -> dict[str, Any]:
    from tune_jobs.sweep import run

    wanted = asked(points, bars)
    if code is not None:
        parameters = wanted.spec.parameters if code is OWN_SOURCE else {}
        wanted = replace(wanted, spec=replace(wanted.spec, algorithm_type=CUSTOM, parameters=parameters))
    store = Store(ManualClock(wanted.created_at))
    await store.create(wanted)
    with tempfile.TemporaryDirectory() as scratch, Memory() as memory:
        began = time.perf_counter()
        make = Maker(sandboxes.of).of(code)
        ended = await run(wanted, frame(bars, 7), store, Terms(), scratch=Path(scratch), make=make)
        took = time.perf_counter() - began
    if ended.status is not RunStatus.COMPLETED:
        raise SystemExit(f"the sweep ended {ended.status}: {ended.error_message}")
    found = [store.points[ended.id][index] for index in range(points)]
    return {
        "points": points,
        "seconds": took,
        "points_per_s": points / took,
        "steady_points_per_s": _steady(store.times),
        "trades": sum(_trades(point) for point in found),
        "hash": hash_of(map(_trades, found)),
        "figures": hashlib.sha256(repr([sorted(point.metrics.items()) for point in found]).encode()).hexdigest()[:12],
        "memory_mb": dict(memory.most),
    }


def _trades(point: SweepPoint) -> int:
    return int(point.metrics["trades"] or 0)


def _steady(times: list[tuple[float, int]]) -> float:
    """Points a second after the first batch was stored: without what it takes to start."""
    (first, _), (last, _) = times[0], times[-1]
    return sum(count for _, count in times[1:]) / max(last - first, 1e-3)
