"""A hundred paper traders on a tape that plays by itself: what each holds, and how late each decides."""

import asyncio
import os
import time
from datetime import datetime, timedelta
from typing import Any

from bench.boot import cpu_s, name, pss_mb, tree
from bench.flooring.ground import Ground, until
from bench.flooring.orders import quantiles
from bench.flooring.stamps import Reading, Stamp

BAR_S = 300.0
_JOIN_S = 1_800.0
_COINS = ("BTC", "ETH", "DOGE")
_CROSSES = {"fast_bars": 3, "slow_bars": 9}


def shown(stamps: list[Stamp]) -> dict[datetime, int]:
    """When the collector first had each bar: the first board that it read of that bar's five minutes or later."""
    found: dict[datetime, int] = {}
    boards = sorted((datetime.fromisoformat(stamp.said), stamp.at_ns) for stamp in stamps if stamp.what == "polled")
    for time_of, at_ns in boards:
        bar = time_of - timedelta(seconds=time_of.timestamp() % BAR_S)
        found.setdefault(bar, at_ns)
        found[bar] = min(found[bar], at_ns)
    return found


def lags(stamps: list[Stamp], bars: list[datetime], traders: int) -> tuple[list[float], list[str]]:
    """Milliseconds from the collector's first sight of a bar until a trader's decision on it was stored, for every
    trader and bar; and what is late, or missing, one sentence each. Late is after the next bar was there."""
    at, found, faults = shown(stamps), list[float](), list[str]()
    decided: dict[datetime, dict[str, int]] = {bar: {} for bar in bars}
    for stamp in stamps:
        if stamp.what == "finished" and (bar := datetime.fromisoformat(stamp.said)) in decided:
            decided[bar].setdefault(stamp.key, stamp.at_ns)
    for bar in bars:
        following = bar + timedelta(seconds=BAR_S)
        if not any(stamp.what == "seen" and stamp.said == bar.isoformat() for stamp in stamps):
            faults.append(f"the collector was too late to take {bar} for a bar: nobody was shown it")
        elif len(decided[bar]) != traders:
            faults.append(f"{traders - len(decided[bar])} traders did not decide on {bar}")
        late = sum(at_ns > at[following] for at_ns in decided[bar].values())
        if late:
            faults.append(f"{late} traders decided on {bar} after the next bar was there")
        found += [(at_ns - at[bar]) / 1e6 for at_ns in decided[bar].values()]
    return found, faults


async def measure(ground: Ground, traders: int, bars: int, speed: float) -> dict[str, Any]:
    deployed = await ground.deploy(
        traders, coins=_COINS, algorithm_type="moving_average_crossover", parameters=_CROSSES
    )
    began, reading, joined = time.monotonic(), Reading(ground.stamps.folder), set[str]()

    async def all_decide() -> bool:
        joined.update(stamp.key for stamp in reading.more() if stamp.what == "finished")
        return len(joined) == traders

    await until(all_decide, f"{traders} traders that decide", _JOIN_S)
    joined_s = time.monotonic() - began
    # The bar under way was met by some who had only just come.
    first = max(shown(reading.all)) + timedelta(seconds=BAR_S)
    asked = [first + number * timedelta(seconds=BAR_S) for number in range(bars)]
    pids = [pid for pid in tree(os.getpid()) if name(pid).startswith("ray::TraderActor")]
    cpu = sum(map(cpu_s, pids))
    started = time.monotonic()

    async def over() -> bool:
        reading.more()
        return max(shown(reading.all)) > asked[-1]

    await until(over, f"{bars} bars", bars * BAR_S / speed * 3 + 60)
    seconds = time.monotonic() - started
    used = sum(map(cpu_s, pids)) - cpu
    await asyncio.sleep(1.0)
    reading.more()
    held = [pss_mb(pid) for pid in pids]
    found, faults = lags(reading.all, asked, traders)
    stored = [(await ground.wired.blotter.recall(each.id)).done_until for each in deployed]
    if len(pids) != traders:
        faults.append(f"{len(pids)} processes are traders, not {traders}")
    if behind := sum(done_until is None or done_until < asked[-1] for done_until in stored):
        faults.append(f"{behind} traders have not stored that they are done with {asked[-1]}")
    p50, p99 = quantiles(found or [float("nan")])
    return {
        "traders": traders,
        "bar_s": BAR_S / speed,
        "bars": bars,
        "decisions": len(found),
        "joined_s": joined_s,
        "lag_p50_ms": p50,
        "lag_p99_ms": p99,
        "lag_max_ms": max(found, default=float("nan")),
        "pss_mb": sum(held) / max(1, len(held)),
        "cpu": used / seconds,
        "orders": await ground.orders(deployed[0].user_id),
        "faults": faults,
    }


async def run(ground: Ground, traders: int, bars: int, speed: float) -> dict[str, Any]:
    found = await measure(ground, traders, bars, speed)
    bar_ms = found["bar_s"] * 1e3
    late = "; ".join(found["faults"]) or "none late for its bar"
    print(
        f"{traders} paper traders, bars of {found['bar_s']:.1f} s: {found['pss_mb']:.1f} MB (PSS) a trader, "
        f"{found['pss_mb'] * traders / 1024:.2f} GB together; all trade {found['joined_s']:.0f} s after deployment"
    )
    print(
        f"  decision stored after the collector had the bar: p50 {found['lag_p50_ms']:.0f} ms, p99 "
        f"{found['lag_p99_ms']:.0f} ms, at most {found['lag_max_ms']:.0f} ms, {found['lag_max_ms'] / bar_ms:.2f} of a "
        f"bar ({found['lag_max_ms'] / (BAR_S * 1e3):.4f} of a real one); {found['decisions']:,} decisions on "
        f"{found['bars']} bars: {late}; their processes use {found['cpu']:.2f} CPUs"
    )
    return found
