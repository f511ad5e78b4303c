"""How many entries a second the journal takes, each account's numbered without gaps, with somebody who listens."""

import asyncio
import json
import statistics
import time
from uuid import uuid4

import asyncpg

DATA = {
    "client_order_id": "0" * 60,
    "coin": "BTC",
    "side": "buy",
    "quantity": "0.00100000",
    "reason": "weight 0.1 to 0.2",
}
# The same columns and indexes in a table that numbers nothing: what this disk allows.
_BARE = """
    CREATE TABLE bare (LIKE journal INCLUDING DEFAULTS INCLUDING INDEXES);
    CREATE SEQUENCE bare_seq;
    ALTER TABLE bare ALTER seq SET DEFAULT nextval('bare_seq'), ALTER account_seq SET DEFAULT nextval('bare_seq')
"""


async def rate(address: str, table: str, writers: int, seconds: float, lines: int) -> float:
    """Entries a second, each writer with an account and a connection of its own, `lines` in a transaction."""
    insert = f"INSERT INTO {table} (user_id, kind, data) SELECT $1, 'submitted', $2 FROM generate_series(1, $3)"
    data, counts = json.dumps(DATA), []

    async def write() -> None:
        connection = await asyncpg.connect(address)
        statement, user_id, count = await connection.prepare(insert), uuid4(), 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await statement.fetch(user_id, data, lines)
            count += lines
        counts.append(count)
        await connection.close()

    began = time.monotonic()
    await asyncio.gather(*(write() for _ in range(writers)))
    return sum(counts) / (time.monotonic() - began)


def measure(address: str) -> dict[str, dict[str, float]]:
    """Medians of three, in turn with the same inserts into a bare table."""
    found: dict[str, dict[str, float]] = {}

    async def both(writers: int, lines: int) -> tuple[float, float]:
        listener = await asyncpg.connect(address)
        await listener.add_listener("journal", lambda *_: None)
        try:
            bare = await rate(address, "bare", writers, 2.0, lines)
            return await rate(address, "journal", writers, 2.0, lines), bare
        finally:
            await listener.close()

    async def prepare() -> None:
        connection = await asyncpg.connect(address)
        await connection.execute(_BARE)
        await connection.close()

    asyncio.run(prepare())
    for writers, lines in ((1, 1), (8, 1), (32, 1), (8, 3)):
        pairs = [asyncio.run(both(writers, lines)) for _ in range(3)]
        ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
        found[f"{writers}x{lines}"] = {"journal": round(ours), "bare": round(bare)}
        each = "entry" if lines == 1 else "entries"
        print(
            f"journal, {writers:2} accounts at once, {lines} {each} a transaction: {ours:9,.0f} entries/s, "
            f"{ours / bare:.2f} of a bare table's {bare:,.0f}",
            flush=True,
        )
    return found
