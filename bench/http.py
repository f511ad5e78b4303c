"""How fast HTTP is, beside plain FastAPI on uvicorn that does the same work, in the same run and by turns.

`python bench/http.py [--rounds 5] [--seconds 4] [--connections 16 32] [--soak N] [--kill] [--front serve] [--json F]`.
Real actors, PostgreSQL, Ray Serve and whatever front the platform has; wrk asks (`apt-get install -y wrk`). Both sides'
answers are compared before anything is measured. A ratio is the median of those of each round. `--soak` asks for a
million answers, or as many as it is told, and watches the memory of whoever gives them; `--kill` kills a replica, the
front and Serve's controller while somebody writes, and looks for what was acknowledged and is not there.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# This file's own folder must not be searched for modules: it has one that is called as one of Python's.
sys.path[0] = str(ROOT)

import urllib.request  # noqa: E402

from bench.boot import name, pss_mb, tree  # noqa: E402
from bench.flooring.ground import cluster  # noqa: E402
from bench.web import wrk  # noqa: E402
from bench.web.ground import Web, web  # noqa: E402

# What is asked, whether of somebody who is logged in, the least ratio to plain uvicorn's rate and the largest to its
# p99: none for a trivial route, where a rate of 0.3 is three times the wait already.
LINES = (
    ("a trivial route", "/api/v1/health", False, 0.3, float("inf")),
    ("authenticated, one query", "/api/v1/users/profile", True, 0.6, 2.0),
    ("latest prices", "/api/v1/data/prices/latest", True, 0.6, 2.0),
    ("a page of trades", "/api/v1/floor/trades?per_page=20", True, 0.6, 2.0),
)
AUTH_LIMIT_US, YEAR_LIMIT_MS = 100.0, 150.0
# What may differ from one moment, or one side, to the next.
_PASSING = {"age_s"}
_ARROW = "application/vnd.apache.arrow.stream"
_YEAR_BARS = 105_120


def asked(url: str, token: str | None, accept: str = "application/json") -> tuple[str, bytes]:
    headers = {"Accept": accept} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return answer.headers.get("content-type", ""), answer.read()


def lasting(value: Any) -> Any:
    match value:
        case dict():
            return {key: lasting(each) for key, each in value.items() if key not in _PASSING}
        case list():
            return [lasting(each) for each in value]
    return value


def same(it: Web, path: str, token: str) -> None:
    """End the benchmark when the two sides do not say the same."""
    ours, plain = (json.loads(asked(side + path, token)[1]) for side in (it.ours, it.plain))
    if lasting(ours) != lasting(plain):
        raise SystemExit(f"{path}: the sides differ\nours  {str(ours)[:300]}\nplain {str(plain)[:300]}")
    if isinstance(ours.get("items"), list) and not ours["items"]:
        raise SystemExit(f"{path}: an empty page measures nothing")


def line(
    it: Web, what: str, path: str, with_token: bool, least: float, most: float, rounds: int, seconds: float, many: int
) -> Any:
    same(it, path, it.token())
    pairs = []
    for number in range(rounds + 1):
        token = it.token() if with_token else None
        # Whoever is second finds a warmer machine: they take turns at that, too.
        sides = (it.ours, it.plain) if number % 2 else (it.plain, it.ours)
        runs = {side: wrk.run(side + path, many, seconds, token) for side in sides}
        if number:  # the first warms up
            pairs.append((runs[it.ours], runs[it.plain]))
    ratio = statistics.median(ours.rate / plain.rate for ours, plain in pairs)
    slower = statistics.median(ours.p99_ms / plain.p99_ms for ours, plain in pairs)
    found = {
        "what": what,
        "connections": many,
        "ours_rate": statistics.median(ours.rate for ours, _ in pairs),
        "plain_rate": statistics.median(plain.rate for _, plain in pairs),
        "ours_p99_ms": statistics.median(ours.p99_ms for ours, _ in pairs),
        "plain_p99_ms": statistics.median(plain.p99_ms for _, plain in pairs),
        "ratio": ratio,
        "least": least,
        "p99_ratio": slower,
        "failed": sum(ours.failed for ours, _ in pairs),
    }
    verdict = "" if ratio >= least and slower <= most and not found["failed"] else "  MISSED"
    print(
        f"{what:26} c={many:<3} ours {found['ours_rate']:7.0f}/s p99 {found['ours_p99_ms']:6.1f} ms   plain "
        f"{found['plain_rate']:7.0f}/s p99 {found['plain_p99_ms']:6.1f} ms   rate {ratio:.2f} (at least {least:.1f})  "
        f"p99 {slower:.2f} (at most {most:.0f}), {found['failed']} failed{verdict}",
        flush=True,
    )
    return found


def auth_check(it: Web, times: int = 3_000) -> float:
    """Microseconds from a token to the id that it stands for, as each request pays them."""
    signer, now, token = it.wired.signer, it.wired.clock.now(), it.token()
    took = []
    for _ in range(times):
        began = time.perf_counter_ns()
        signer.verify(token, now)
        took.append((time.perf_counter_ns() - began) / 1_000)
    found = statistics.median(took)
    print(f"a token's check: {found:.0f} µs (at most {AUTH_LIMIT_US:.0f})", flush=True)
    return found


def year(it: Web, times: int = 7) -> float | None:
    """Milliseconds for a year of one coin's prices as Arrow; None where nobody answers in Arrow."""
    from bench.web.history import year_of

    coin, start, end = asyncio.run(year_of(it.wired, _YEAR_BARS))
    path = f"/api/v1/data/prices?coin={coin}&start={start:%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"
    took = []
    for _ in range(times):
        began = time.perf_counter()
        kind, body = asked(it.ours + path, it.token(), _ARROW)
        took.append((time.perf_counter() - began) * 1_000)
        if not kind.startswith(_ARROW):
            print(f"a year as Arrow: not measured, the answer is {kind}", flush=True)
            return None
        import pyarrow as pa

        rows = pa.ipc.open_stream(body).read_all().num_rows
        if rows != _YEAR_BARS:
            raise SystemExit(f"a year has {_YEAR_BARS} bars, and {rows} came")
    found = statistics.median(took)
    print(f"a year of five-minute prices as Arrow: {found:.0f} ms (at most {YEAR_LIMIT_MS:.0f})", flush=True)
    return found


def givers() -> dict[int, str]:
    """Whoever has a part in an answer, by process."""
    named = {pid: name(pid) for pid in tree(os.getpid())}
    return {pid: who for pid, who in named.items() if "ServeReplica" in who or "haproxy" in who or "Proxy" in who}


def soak(it: Web, requests: int) -> dict[str, Any]:
    """Memory (PSS) of whoever answers, at each tenth of the way."""
    done, steps, failed = 0, [], 0
    path = LINES[1][1]
    wrk.run(it.ours + path, 16, 20, it.token())
    watched = givers()
    while done < requests:
        steps.append({"requests": done, **{f"{who} {pid}": round(pss_mb(pid), 1) for pid, who in watched.items()}})
        print(steps[-1], flush=True)
        until = done + requests / 10
        while done < until:
            run = wrk.run(it.ours + path, 16, 60, it.token())
            done, failed = done + run.requests, failed + run.failed
    grown = {f"{who} {pid}": round(pss_mb(pid) - steps[0][f"{who} {pid}"], 1) for pid, who in watched.items()}
    print(f"{done:,} requests, {failed} failed; memory grew by (MB): {grown}", flush=True)
    return {"requests": done, "failed": failed, "steps": steps, "grown_mb": grown}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--soak", type=int, nargs="?", const=1_000_000, default=0, metavar="N")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--front", choices=["haproxy", "serve"], default="haproxy")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    # Nobody is refused here; whether anybody may still ask is looked up all the same, on both sides.
    limits = {f"OMC_RATE_{whose}": "60000000" for whose in ("ACCOUNT", "TOKEN", "ADDRESS")}
    os.environ |= {"OMC_FRONT": chosen.front, **limits, **{f"{each}_BURST": "1000000" for each in limits}}
    found: dict[str, Any] = {"front": chosen.front}
    with cluster(), web() as it:
        if chosen.kill:
            from bench.web.killing import kills

            found["kills"] = asyncio.run(kills(it))
        elif chosen.soak:
            found["soak"] = soak(it, chosen.soak)
        else:
            found["lines"] = [
                line(it, *what, chosen.rounds, chosen.seconds, many) for many in chosen.connections for what in LINES
            ]
            found["auth_us"] = auth_check(it)
            found["year_ms"] = year(it)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
