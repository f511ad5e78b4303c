"""From a trader's sight of quotes to its order on the wire, with what lies between, and the least that it could be."""

import asyncio
import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import asyncpg
import numpy as np

from actors.handle import CollectorHandle
from bench.flooring.ground import Ground, until
from bench.flooring.stamps import Reading, Stamp
from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.postgres import dsn

TARGETS_MS = (5.0, 20.0)
_JOIN_S, _PLAY_S = 600.0, 900.0
_WARM_BARS = 5
STAGES = (
    ("the trader, until it asks the risk desk", "seen", "asked"),
    ("the hop to the risk desk", "asked", "begin"),
    ("first commit: what it wants and remembers is journaled", "begin", "begun"),
    ("the verdict, with all that it is read from", "begun", "submitting"),
    ("second commit: written ahead under both leases", "submitting", "submitted"),
    ("the nonce, under the lease", "submitted", "nonced"),
    ("signing", "nonced", "send"),
    ("the HTTP client, until the bytes leave", "send", "wire"),
)
_ORDER = ("seen", "asked", "begin", "begun", "submitting", "submitted", "nonce", "nonced", "send", "wire")
_BARE = "CREATE TABLE bare (id bigserial PRIMARY KEY, said jsonb NOT NULL)"
_COMMIT = """INSERT INTO bare (said) VALUES ('{"coin": "BTC", "side": "buy", "quantity": "0.00100000"}')"""


def journeys(stamps: Sequence[Stamp]) -> list[dict[str, Any]]:
    """One for each bar that a trader asked for an order on, from its sight of the quotes to the desk's answer: the
    first moment of everything, in nanoseconds, the `bar` and the answer's `status`."""
    open_ones: dict[str, dict[str, Any]] = {}
    found: list[dict[str, Any]] = []
    for stamp in stamps:
        if stamp.what == "seen":
            open_ones[stamp.key] = {"bar": stamp.said, "key": stamp.key, "seen": stamp.at_ns}
        elif (row := open_ones.get(stamp.key)) is not None:
            row.setdefault(stamp.what, stamp.at_ns)
            if stamp.what == "answered":
                row["status"] = stamp.said
                found.append(open_ones.pop(stamp.key))
    return found


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    p50, p99 = np.percentile(values, [50, 99])
    return float(p50), float(p99)


async def measure(ground: Ground, traders: int, bars: int) -> dict[str, Any]:
    """Every trader trades on every bar, all at the same moment."""
    deployed = await ground.deploy(traders)
    reading, joined = Reading(ground.stamps.folder), set[str]()

    async def all_trade() -> bool:
        joined.update(stamp.key for stamp in reading.more() if stamp.what == "answered")
        return len(joined) == traders

    await until(all_trade, f"{traders} traders that trade", _JOIN_S)
    collector = CollectorHandle()
    first = (await collector.status()).tape_position or 0

    async def played() -> bool:
        return ((await collector.status()).tape_position or 0) >= first + _WARM_BARS + bars

    await until(played, f"{bars} bars", _PLAY_S)
    await collector.pause()
    await asyncio.sleep(1.0)
    reading.more()
    orders = await ground.orders(deployed[0].user_id)
    return {**told(reading.all, traders, bars, orders), "limit": await limit(ground, traders, bars)}


def told(stamps: Sequence[Stamp], traders: int, bars: int, orders: dict[str, int]) -> dict[str, Any]:
    """Figures of the last `bars` on which all traded. Ends the benchmark when not every one of them did so, or not
    everything that was asked for is among the exchange's fills."""
    rows = sorted(journeys(stamps), key=lambda row: row["bar"])
    by_bar: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_bar.setdefault(row["bar"], []).append(row)
    last = [bar for bar in sorted(by_bar) if len(by_bar[bar]) == traders][-bars:]
    kept = [row for bar in last for row in by_bar[bar]]
    bad = [row for row in kept if row["status"] != "filled" or any(name not in row for name in _ORDER)]
    if bad or len(last) < bars:
        raise SystemExit(
            f"only {len(last)} of {bars} bars were traded by all, and {len(bad)} orders not filled: {bad[:1]}"
        )
    if any(row[a] > row[b] for row in kept for a, b in pairwise(_ORDER)):
        raise SystemExit("an order went its way in another order than it must")
    filled = sum(row["status"] == "filled" for row in rows)
    if orders.get("filled", 0) < filled:
        raise SystemExit(f"{filled} orders were answered as filled, and the books have {orders}")
    between = {name: [(row[end] - row[begin]) / 1e6 for row in kept] for name, begin, end in STAGES}
    p50, p99 = quantiles([(row["wire"] - row["seen"]) / 1e6 for row in kept])
    # Of each bar the first: nobody else's order was before it.
    firsts = [min((row["wire"] - row["seen"]) / 1e6 for row in by_bar[bar]) for bar in last]
    return {
        "orders": len(kept),
        "booked": orders,
        "p50_ms": p50,
        "p99_ms": p99,
        "first_p50_ms": quantiles(firsts)[0],
        "stages": {name: quantiles(values) for name, values in between.items()},
    }


async def limit(ground: Ground, at_once: int, rounds: int) -> dict[str, Any]:
    """Two bare commits on the same PostgreSQL and one signed request with its answer: by one alone, and by as many at
    once as there are traders. With nothing that trades."""
    address, url = dsn.read(ground.wired.home.dsn_file), ground.wired.exchange_url
    connections = [await asyncpg.connect(address) for _ in range(at_once)]
    await connections[0].execute(_BARE)
    clients = []
    for number in range(at_once):
        name = f"limit {number}"
        credentials = await ground.wired.sandbox_control.open_account(name, Decimal(1_000))
        clients.append(CoinspotClient(url, credentials, MemoryNonces(), account=name))

    async def once(number: int) -> float:
        began = time.monotonic_ns()
        await connections[number].execute(_COMMIT)
        await connections[number].execute(_COMMIT)
        await clients[number].read("my/balances")
        return (time.monotonic_ns() - began) / 1e6

    try:
        await asyncio.gather(*map(once, range(at_once)))
        alone = [await once(0) for _ in range(rounds)]
        crowd = [ms for _ in range(rounds) for ms in await asyncio.gather(*map(once, range(at_once)))]
        written = await connections[0].fetchval("SELECT count(*) FROM bare")
        if written != 2 * (at_once + rounds + rounds * at_once):
            raise SystemExit(f"the bare table has {written} rows")
    finally:
        for each in (*clients, *connections, ground.wired.sandbox_control):
            await each.close()
    (a50, a99), (p50, p99) = quantiles(alone), quantiles(crowd)
    return {"alone_p50_ms": a50, "alone_p99_ms": a99, "p50_ms": p50, "p99_ms": p99}


def show(found: dict[str, Any], traders: int) -> None:
    bound = found["limit"]
    for name, target in zip(("p50", "p99"), TARGETS_MS, strict=True):
        ours, least = found[f"{name}_ms"], bound[f"{name}_ms"]
        print(
            f"quote seen to order on the wire, {traders} traders at once, {name}: {ours:7.2f} ms, "
            f"{ours / target:.2f} of the target of {target:.0f} ms; {ours / least:.2f} times two bare commits and a "
            f"signed round trip, {traders} at once ({least:.2f} ms)"
        )
    print(
        f"  of each bar the first order: {found['first_p50_ms']:.2f} ms in the median, "
        f"{found['first_p50_ms'] / bound['alone_p50_ms']:.2f} times the same by one alone "
        f"({bound['alone_p50_ms']:.2f} ms); {found['orders']:,} orders, all filled at the exchange and booked"
    )
    for name, (p50, p99) in found["stages"].items():
        print(f"  {name:54} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms")


async def run(ground: Ground, traders: int, bars: int) -> dict[str, Any]:
    found = await measure(ground, traders, bars)
    show(found, traders)
    return found
