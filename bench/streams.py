"""How soon a thousand clients hear of what was committed to the journal, and how fast the journal is.

`python bench/streams.py [--clients 1000] [--serve-clients 1000] [--json FILE]`. Clients are a process of their own, on
raw sockets; delivery is from the commit of an entry to its reading. To a replica's app itself (under uvicorn), beside a
plain echo to as many clients in the same run; and through Ray Serve's own proxy. Everybody first follows one account
(one entry goes to all), then a hundred accounts in turn. Memory is the server's. Last, hundreds of traders wait for the
collector's quotes.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402

from bench.boot import pss_mb, tree  # noqa: E402
from bench.streaming import journaling, roles  # noqa: E402
from bench.streaming.journaling import DATA  # noqa: E402
from bench.streaming.sockets import TEXT, Socket, frame  # noqa: E402
from omc.adapters.key_file import ensure_key  # noqa: E402
from omc.adapters.postgres import dsn, journal  # noqa: E402
from omc.adapters.postgres.database import Database  # noqa: E402
from omc.adapters.postgres.listener import PostgresFeed  # noqa: E402
from omc.adapters.postgres.migrate import migrate  # noqa: E402
from omc.adapters.postgres.server import EmbeddedPostgres  # noqa: E402

TARGET_MS, TARGET_EVENTS_S = 100.0, 5_000.0


@contextmanager
def role(name: str, *arguments: object) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process of `bench.streaming.roles`, with the first line that it says."""
    command = f"from bench.streaming import roles; import sys; roles.{name}(*sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", command, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What the clients heard."""
    return dict(json.loads(process.communicate("x", timeout=300)[0]))


async def events(database: Database, accounts: int, times: int, every_s: float) -> dict[tuple[int, int], int]:
    """Commit entries, one account after the other; when each was committed, by account and number."""
    feed = PostgresFeed(database)
    committed, numbers = {}, {number: await feed.position(roles.account(number)) for number in range(accounts)}
    for _ in range(times):
        for number in range(accounts):
            async with database.transaction() as connection:
                await journal.write(connection, journal.Line(roles.account(number), "submitted", DATA))
            numbers[number] += 1
            committed[number, numbers[number]] = time.monotonic_ns()
            await asyncio.sleep(every_s)
    return committed


def figures(delays: dict[Any, list[float]], expected: int, closed: list[int]) -> dict[str, Any]:
    """Of delays in milliseconds, by what was told. `spread_ms` is the median time from the first reader to the last."""
    ms = [each for told_to in delays.values() for each in told_to]
    p50, p99 = np.percentile(ms, [50, 99]) if ms else (np.nan, np.nan)
    spread = np.median([max(told_to) - min(told_to) for told_to in delays.values()]) if ms else np.nan
    return {
        "messages": len(ms),
        "expected": expected,
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "max_ms": round(max(ms, default=float("nan")), 2),
        "spread_ms": round(float(spread), 2),
        "closed": len(closed),
    }


def show(what: str, found: dict[str, Any]) -> None:
    lost = "" if found["messages"] == found["expected"] else f", LOST {found['expected'] - found['messages']}"
    print(
        f"{what:52} p50 {found['p50_ms']:8.1f} ms  p99 {found['p99_ms']:8.1f} ms  "
        f"first to last {found['spread_ms']:6.1f} ms  {found['messages']:,} messages{lost}",
        flush=True,
    )


def delivered(
    fresh: Callable[[], Database], port: str, key_file: Path, count: int, accounts: int, times: int, every_s: float
) -> dict[str, Any]:
    """From commit to reading, of every message to every client."""
    database = fresh()
    with role("clients", port, count, accounts, key_file) as (process, said):
        if said != "ready":
            raise SystemExit(f"the clients did not connect: {said}")

        async def write() -> dict[tuple[int, int], int]:
            try:
                return await events(database, accounts, times, every_s)
            finally:
                await database.close()

        committed = asyncio.run(write())
        time.sleep(2.0 + every_s)
        heard = told(process)
    delays: dict[Any, list[float]] = {}
    for number, at, seq in heard["heard"]:
        key = number % accounts, seq
        delays.setdefault(key, []).append((at - committed[key]) / 1e6)
    return figures(delays, count // accounts * accounts * times, heard["closed"])


def echoed(port: str, key_file: Path, count: int, times: int, every_s: float) -> dict[str, Any]:
    """From one client's word to its reading by all others, of messages as long as ours."""
    with role("clients", port, count, 1, key_file) as (process, said):
        if said != "ready":
            raise SystemExit(f"the clients did not connect: {said}")
        publisher = Socket.to(0, int(port), "/", None)
        sent = {}
        for number in range(1, times + 1):
            text = json.dumps({"type": "order", "seq": number, "data": {**DATA, "deployment_id": str(uuid4())}})
            sent[number] = time.monotonic_ns()
            publisher.raw.sendall(frame(TEXT, text.encode().ljust(330)))
            time.sleep(every_s)
        time.sleep(1.0)
        heard = told(process)
    delays: dict[Any, list[float]] = {}
    for _, at, seq in heard["heard"]:
        delays.setdefault(seq, []).append((at - sent[seq]) / 1e6)
    return figures(delays, count * times, heard["closed"])


def through_serve(fresh: Callable[[], Database], dsn_file: Path, key_file: Path, count: int) -> dict[str, Any]:
    """Through the proxy that a platform has."""
    from cluster import ray_head

    token = key_file.with_name("ray.token")
    ensure_key(token)
    import os

    os.environ.update(ray_head.environment(token, multi_node=False))
    os.environ["PYTHONPATH"] = str(ROOT)
    import ray
    from ray import serve

    from bench.streaming import waiting
    from cluster.draining import before_draining
    from cluster.ports import free_port
    from cluster.proxy_door import keep_frames_small
    from serve_apps.gateway.streams import ingress

    folder = tempfile.mkdtemp(prefix="omc-ray-", dir="/tmp")
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, _temp_dir=folder, object_store_memory=200_000_000
    )
    try:
        port = str(free_port())
        serve.start(http_options={"host": "127.0.0.1", "port": int(port)})
        app = ingress.ingress(roles.ports(dsn_file, key_file, 4_000), keep_frames_small, before_draining)
        serve.run(app, name="streams", route_prefix="/api/v1/ws")
        pids = [pid for pid in tree(os.getpid()) if pid != os.getpid()]
        before = sum(map(pss_mb, pids))
        found = {
            "one": delivered(fresh, port, key_file, count, 1, 10, 3.0),
            "many": delivered(fresh, port, key_file, count, 100, 3, 0.05),
        }
        found["pss_mb"] = round(sum(map(pss_mb, pids)) - before, 1)
        serve.delete("streams")
        found["waiting"] = waiting.measure(500)
        return found
    finally:
        serve.shutdown()
        ray.shutdown()


def direct(fresh: Callable[[], Database], dsn_file: Path, key_file: Path, count: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with role("server", dsn_file, key_file, 4_000) as (process, port):
        with role("clients", port, 10, 1, key_file) as (warm, _):
            told(warm)
        before = pss_mb(process.pid)
        with role("clients", port, count, count, key_file) as (crowd, said):
            if said != "ready":
                raise SystemExit(f"the clients did not connect: {said}")
            found["kb_a_client"] = round((pss_mb(process.pid) - before) * 1024 / count, 1)
            told(crowd)
        found["one"] = delivered(fresh, port, key_file, count, 1, 40, 0.25)
        found["many"] = delivered(fresh, port, key_file, count, 100, 20, 0.002)
    with role("echo") as (_, port):
        found["echo"] = echoed(port, key_file, count, 40, 0.25)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--serve-clients", type=int, default=1_000, help="0 leaves Ray out")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omc-streams-") as folder:
        home = Path(folder)
        ensure_key(home / "token.key")
        with EmbeddedPostgres(home / "postgres") as server:
            migrate(Database(server.dsn_file))
            address = dsn.read(server.dsn_file)
            found: dict[str, Any] = {"journal": journaling.measure(address)}
            best = max(rates["journal"] for rates in found["journal"].values())
            print(
                f"the best of them is {best / TARGET_EVENTS_S:.2f} times the target of {TARGET_EVENTS_S:,.0f} a second"
            )

            def fresh() -> Database:
                # Every measurement counts on from where the one before stopped.
                return Database(server.dsn_file)

            count = asked.clients
            found["direct"] = ours = direct(fresh, server.dsn_file, home / "token.key", count)
            show(f"{count} clients of one account, to the app", ours["one"])
            show(f"{count} clients, a plain echo to all", ours["echo"])
            show(f"{count} clients of 100 accounts, to the app", ours["many"])
            print(
                f"p99 is {ours['one']['p99_ms'] / TARGET_MS:.2f} of the target of {TARGET_MS:.0f} ms, and "
                f"{ours['one']['p99_ms'] / ours['echo']['p99_ms']:.2f} times the echo's; "
                f"{ours['kb_a_client']:.0f} kB of the server's memory a client",
                flush=True,
            )
            if asked.serve_clients:
                count = asked.serve_clients
                found["serve"] = theirs = through_serve(fresh, server.dsn_file, home / "token.key", count)
                show(f"{count} clients of one account, through Serve's proxy", theirs["one"])
                show(f"{count} clients of 100 accounts, through Serve's proxy", theirs["many"])
                print(f"{theirs['pss_mb'] * 1024 / count:.0f} kB of Ray's processes a client")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
