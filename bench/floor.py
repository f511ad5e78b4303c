"""How soon the floor sends, how soon it stops, and how many it bears: real actors, PostgreSQL and a sandbox exchange.

`python bench/floor.py [--only orders kill crowd journal streams] [--traders 10] [--bars 200]`. Moments are taken by
ports that stamp what goes through them, by the machine's one monotonic clock. Orders: from a trader's sight of
a bar's quotes to its order on the wire, all traders at the same moment, beside two bare commits on the same PostgreSQL
and one signed round trip. Kill: from the emergency stop's being asked for to the last order on the wire, with the
database running, hanging and stopped. Crowd: what each of a hundred paper traders holds, and how late it decides.
Journal and streams are those of `bench/streams.py`. What did not really happen ends the run.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from bench.flooring.ground import cluster, ground  # noqa: E402

LINES = ("orders", "kill", "crowd", "journal", "streams")


def orders(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.flooring import orders as line

    # A coin without an order book is traded by instant orders, and only one coin has a book then.
    books: dict[str, Any] = {"market_coins": frozenset({"ETH"})} if asked.instant else {}
    with ground(lockstep=True, **books) as it:
        return asyncio.run(line.run(it, asked.traders, asked.bars))


def kill(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.flooring import kill as line

    with ground(lockstep=True) as it:
        return asyncio.run(line.run(it, asked.kill_traders))


def crowd(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.flooring import crowd as line

    with ground(restless=False, speed=asked.speed, poll_s=max(0.05, line.BAR_S / asked.speed / 40)) as it:
        return asyncio.run(line.run(it, asked.crowd, asked.crowd_bars, asked.speed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=LINES, default=LINES)
    parser.add_argument("--traders", type=int, default=10)
    parser.add_argument("--bars", type=int, default=200, help="that all of them trade on")
    parser.add_argument("--instant", action="store_true", help="orders are instant ones, rather than on a book")
    parser.add_argument("--kill-traders", type=int, default=50)
    parser.add_argument("--crowd", type=int, default=100, help="paper traders")
    parser.add_argument("--crowd-bars", type=int, default=8)
    parser.add_argument("--speed", type=float, default=5.0, help="of the crowd's tape: a bar is 300 s divided by it")
    parser.add_argument("--clients", type=int, default=1_000, help="of the streams")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    lines = {"orders": orders, "kill": kill, "crowd": crowd}
    wanted = [name for name in lines if name in asked.only]
    if wanted:
        with cluster():
            for name in wanted:
                found[name] = lines[name](asked)
    if {"journal", "streams"} & set(asked.only):
        found |= of_the_journal(asked)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")


def of_the_journal(asked: argparse.Namespace) -> dict[str, Any]:
    """The lines that `bench/streams.py` has, too, by the same functions."""
    from bench import streams
    from bench.streaming import journaling
    from omc.adapters.key_file import ensure_key
    from omc.adapters.postgres import dsn
    from omc.adapters.postgres.database import Database
    from omc.adapters.postgres.migrate import migrate
    from omc.adapters.postgres.server import EmbeddedPostgres

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="omc-floor-") as folder:
        home = Path(folder)
        ensure_key(home / "token.key")
        with EmbeddedPostgres(home / "postgres") as server:
            migrate(Database(server.dsn_file))
            if "journal" in asked.only:
                found["journal"] = rates = journaling.measure(dsn.read(server.dsn_file))
                best, target = max(each["journal"] for each in rates.values()), streams.TARGET_EVENTS_S
                print(f"journal: {best:,.0f} entries/s at best, {best / target:.2f} of the target of {target:,.0f}")
            if "streams" in asked.only:
                key = home / "token.key"
                found["streams"] = ours = streams.direct(
                    lambda: Database(server.dsn_file), server.dsn_file, key, asked.clients
                )
                one, target = ours["one"], streams.TARGET_MS
                streams.show(f"{asked.clients} clients of one account, to the app", one)
                if one["messages"] != one["expected"]:
                    raise SystemExit(f"{one['expected'] - one['messages']} messages were lost")
                print(
                    f"streams: p99 {one['p99_ms']:.1f} ms, {one['p99_ms'] / target:.2f} of the target of "
                    f"{target:.0f} ms; through Serve's proxy: python bench/streams.py"
                )
    return found


if __name__ == "__main__":
    main()
