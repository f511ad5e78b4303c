"""How fast prices go into PostgreSQL and come out again, beside plain COPY in the same run.

Run it alone: `python bench/prices.py` for half a million rows, `--year` for a year of twenty coins. It starts a server
of its own in a temporary folder. Plain COPY moves the same bytes into a bare table, without a key, an index or a
partition, and out again without making anything of them; both sides are compared row by row in the end.
"""

import argparse
import asyncio
import io
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import asyncpg
import numpy as np

from omc.adapters.postgres import pgcopy, price_rows
from omc.adapters.postgres.database import Database, connect
from omc.adapters.postgres.migrate import migrate
from omc.adapters.postgres.prices import PostgresPrices
from omc.adapters.postgres.server import EmbeddedPostgres
from omc.feature.frame import Frame, as_datetime64
from omc.market.quote import Quote, QuoteBoard

COINS = tuple(f"COIN{n:02}" for n in range(20))
YEAR_ROWS = 365 * 288 * len(COINS)
LIVE_TICKS = 1000
BARE_TABLE = "CREATE TABLE bare (coin int2, timestamp timestamptz, bid float8, ask float8, last float8)"
DIFFERENCES = """
    WITH stored AS (SELECT coin_type, timestamp, bid, ask, last FROM price_data_5min WHERE venue = 'bulk'),
    copied AS (SELECT ($1::text[])[coin + 1], timestamp, bid, ask, last FROM bare)
    SELECT (SELECT count(*) FROM (TABLE stored EXCEPT ALL TABLE copied) a)
         + (SELECT count(*) FROM (TABLE copied EXCEPT ALL TABLE stored) b)
"""


def history(rows: int) -> Frame:
    """A random walk of twenty coins on five-minute bars, on the eight-decimal grid."""
    bars = max(1, rows // len(COINS))
    rng = np.random.default_rng(20250101)
    steps = rng.normal(0, 0.002, (bars, len(COINS))).cumsum(axis=0)
    last = np.round(np.geomspace(0.01, 100_000, len(COINS)) * np.exp(steps), 8)
    times = as_datetime64(datetime(2025, 1, 1, tzinfo=UTC)) + np.arange(bars) * np.timedelta64(300, "s")
    return Frame(times, COINS, np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)


def boards(frame: Frame) -> list[QuoteBoard]:
    made = []
    for row in range(min(LIVE_TICKS, len(frame))):
        prices = zip(frame.coins, frame.bid[row], frame.ask[row], frame.last[row], strict=True)
        quotes = {c: Quote(c, *(Decimal(repr(float(price))) for price in each)) for c, *each in prices}
        made.append(QuoteBoard(frame.time(row), quotes))
    return made


async def seconds(work: Callable[[], Awaitable[object]], times: int = 1) -> float:
    """The shortest of `times` runs."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return min(taken)


async def plain_copy(connection: asyncpg.Connection, frame: Frame) -> tuple[float, float]:
    """Seconds in and out for the same rows in a bare table."""
    stream = pgcopy.encoded(price_rows.of(frame))
    await connection.execute(BARE_TABLE)
    into = await seconds(lambda: connection.copy_to_table("bare", source=io.BytesIO(stream), format="binary"))
    out = await seconds(lambda: connection.copy_from_table("bare", output=io.BytesIO(), format="binary"), 3)
    return into, out


async def measure(database: Database, rows: int) -> dict[str, float]:
    frame = history(rows)
    count = frame.bid.size
    connection = await connect(database.dsn_file)
    copy_in_s, copy_out_s = await plain_copy(connection, frame)

    live, bulk = PostgresPrices(database, venue="live"), PostgresPrices(database, venue="bulk")
    ticks = boards(frame)
    await live.append(ticks[0])
    live_s = await seconds(lambda: _each(live.append, ticks[1:]))
    bulk_s = await seconds(lambda: bulk.load(frame))
    await connection.execute("ANALYZE price_data_5min")
    read_s = await seconds(lambda: bulk.read(COINS, frame.time(0), frame.time(len(frame) - 1)), 3)

    stored = await bulk.read(COINS, frame.time(0), frame.time(len(frame) - 1))
    same = all(np.array_equal(getattr(stored, name), getattr(frame, name)) for name in ("times", "bid", "ask", "last"))
    differences = await connection.fetchval(DIFFERENCES, list(COINS))
    if not same or differences:
        raise SystemExit(f"what was read is not what was written: {differences} rows differ from plain COPY")
    await connection.close()
    await database.close()
    live_rows = (len(ticks) - 1) * len(COINS)
    return {
        "rows": count,
        "copy_in_rows_per_s": count / copy_in_s,
        "live_rows_per_s": live_rows / live_s if live_rows else float("nan"),
        "live_ms_per_tick": live_s / max(1, len(ticks) - 1) * 1000,
        "load_rows_per_s": count / bulk_s,
        "copy_out_rows_per_s": count / copy_out_s,
        "read_rows_per_s": count / read_s,
        "read_s": read_s,
    }


async def _each(work: Callable[[QuoteBoard], Awaitable[int]], items: list[QuoteBoard]) -> None:
    for item in items:
        await work(item)


def report(figures: dict[str, float]) -> None:
    print(f"{figures['rows']:,.0f} rows of {len(COINS)} coins; both sides hold the same rows")
    lines = [
        ("in", "plain COPY, bare table", "copy_in_rows_per_s", "copy_in_rows_per_s"),
        ("in", "bulk load", "load_rows_per_s", "copy_in_rows_per_s"),
        ("in", f"live upserts of {len(COINS)} rows", "live_rows_per_s", "copy_in_rows_per_s"),
        ("out", "plain COPY, bytes only", "copy_out_rows_per_s", "copy_out_rows_per_s"),
        ("out", "read into a frame", "read_rows_per_s", "copy_out_rows_per_s"),
    ]
    for way, name, rate, against in lines:
        ratio = figures[rate] / figures[against]
        print(f"{way:>4}  {name:<28}{figures[rate]:>12,.0f} rows/s  {ratio:6.3f} of plain COPY")
    print(f"a live tick takes {figures['live_ms_per_tick']:.2f} ms; the whole read took {figures['read_s']:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description="rows of prices a second, in and out")
    parser.add_argument("--rows", type=int, default=500_000, help="how many rows to move (default 500,000)")
    parser.add_argument("--year", action="store_true", help=f"a year of {len(COINS)} coins: {YEAR_ROWS:,} rows")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omc-bench-") as home, EmbeddedPostgres(Path(home)) as server:
        database = Database(server.dsn_file)
        migrate(database)
        figures = asyncio.run(measure(database, YEAR_ROWS if options.year else options.rows))
    if options.json:
        print(json.dumps(figures))
    else:
        report(figures)


if __name__ == "__main__":
    main()
