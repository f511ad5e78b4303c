"""A year of five-minute prices of one coin as one answer, beside plain COPY of the same rows in the same run.

Run it alone: `python -m bench.data`. It starts a server of its own in a temporary folder, stores a year of some coins,
and asks the gateway's app for one of them, from the request to the last byte. Plain COPY reads the same rows of that
coin out of the same table, in binary, and makes nothing of them. Both are compared row by row in the end.
"""

import argparse
import asyncio
import io
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pyarrow as pa

from omc.access.password import MemoryPasswordHasher
from omc.access.signer import ACCESS_LIFE, Claims
from omc.access.token import MemoryRefreshStore
from omc.access.user import MemoryUserStore
from omc.adapters.arrow import ArrowWriter
from omc.adapters.jwt import JwtSigner
from omc.adapters.key_file import ensure_key
from omc.adapters.postgres import pgcopy
from omc.adapters.postgres.database import Database, connect
from omc.adapters.postgres.migrate import migrate
from omc.adapters.postgres.prices import PostgresPrices
from omc.adapters.postgres.server import EmbeddedPostgres
from omc.adapters.system_clock import SystemClock
from omc.feature.frame import Frame, as_datetime64
from serve_apps.gateway.app import build
from serve_apps.gateway.ports import GatewayPorts

START = datetime(2024, 1, 1, tzinfo=UTC)
END = "2024-12-30T23:55:00Z"
YEAR = 365 * 288
COINS = ("BTC", "DOGE", "ETH", "SOL", "XRP")
COPY = "SELECT 0::int2, timestamp, bid, ask, last FROM price_data_5min WHERE coin_type = 'ETH' AND venue = 'coinspot'"


def history() -> Frame:
    rng = np.random.default_rng(20240101)
    steps = rng.normal(0, 0.002, (YEAR, len(COINS))).cumsum(axis=0)
    last = np.round(np.geomspace(0.01, 100_000, len(COINS)) * np.exp(steps), 8)
    times = as_datetime64(START) + np.arange(YEAR) * np.timedelta64(300, "s")
    return Frame(times, COINS, np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)


async def timed(work: Callable[[], Awaitable[bytes]], rounds: int) -> tuple[list[float], bytes]:
    took_ms, answer = [], b""
    for _ in range(rounds):
        began = time.perf_counter()
        answer = await work()
        took_ms.append((time.perf_counter() - began) * 1e3)
    return took_ms, answer


async def measure(database: Database, folder: Path, rounds: int) -> dict[str, object]:
    archive, clock = PostgresPrices(database), SystemClock()
    await archive.load(history())
    connection = await connect(database.dsn_file)
    await connection.execute("VACUUM ANALYZE price_data_5min")
    ensure_key(folder / "token.key")
    signer = JwtSigner(folder / "token.key")
    ports = GatewayPorts(
        users=MemoryUserStore(),
        refresh=MemoryRefreshStore(),
        signer=signer,
        hasher=MemoryPasswordHasher(),
        archive=archive,
        hot=None,  # type: ignore[arg-type]  # nothing here asks for it
        clock=clock,
        arrow=ArrowWriter,
        probes={},
    )
    claims = Claims(uuid4(), uuid4(), clock.now(), clock.now() + ACCESS_LIFE)
    headers = {"Authorization": f"Bearer {signer.sign(claims)}"}
    http = httpx.AsyncClient(transport=httpx.ASGITransport(build(ports)), base_url="http://omc", headers=headers)

    async def copied() -> bytes:
        out = io.BytesIO()
        await connection.copy_from_query(COPY, output=out, format="binary")
        return out.getvalue()

    async def asked(**more: str) -> bytes:
        query = {"coin": "ETH", "start": "2024-01-01", "end": END} | more
        answer = await http.get("/api/v1/data/prices", params=query)
        answer.raise_for_status()
        return answer.content

    sides: dict[str, Callable[[], Awaitable[bytes]]] = {
        "plain COPY": copied,
        "arrow": lambda: asked(format="arrow"),
        "csv": lambda: asked(format="csv"),
        "first page": lambda: asked(per_page="200"),
        "last page": lambda: asked(per_page="200", page="526"),
    }
    answers, found = {}, {}
    for name, work in sides.items():
        await timed(work, 1)
        took_ms, answers[name] = await timed(work, rounds)
        found[name] = {"median_ms": round(statistics.median(took_ms), 1), "worst_ms": round(max(took_ms), 1)}
    await http.aclose()
    await connection.close()
    table = pa.ipc.open_stream(answers["arrow"]).read_all()
    ratio = found["arrow"]["median_ms"] / found["plain COPY"]["median_ms"]
    same = _same(table, answers["plain COPY"])
    return {"rows": table.num_rows, "same_rows": same, **found, "arrow_to_copy": round(ratio, 2)}


def _same(table: pa.Table, copied: bytes) -> bool:
    """Row by row: whoever copied them need not have had them in order."""
    rows = pgcopy.decoded(memoryview(copied))
    order = np.argsort(pgcopy.times(rows))
    times = table["timestamp"].cast(pa.timestamp("us")).to_numpy()
    sides = [table[name].cast(pa.float64()).to_numpy() for name in ("bid", "ask", "last")]
    return np.array_equal(pgcopy.times(rows)[order], times) and all(
        np.allclose(rows[name][order].astype("f8"), side, rtol=0, atol=5e-9)
        for name, side in zip(("bid", "ask", "last"), sides, strict=True)
    )


async def main(rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "home") as server:
        database = Database(server.dsn_file)
        await asyncio.to_thread(migrate, database)
        try:
            return await measure(database, Path(folder), rounds)
        finally:
            await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    print(json.dumps(asyncio.run(main(parser.parse_args().rounds)), indent=2))
