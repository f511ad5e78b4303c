"""One run of wrk, and what it said."""

import re
import shutil
import subprocess
from dataclasses import dataclass

_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Run:
    rate: float
    """Requests a second."""
    p50_ms: float
    p99_ms: float
    requests: int
    failed: int
    """Answers other than 2xx and 3xx, and broken connections."""


def run(url: str, connections: int, seconds: float, token: str | None = None) -> Run:
    """Ask for `url` over and over; ends the benchmark where wrk is missing."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install -y wrk")
    header = ["-H", f"Authorization: Bearer {token}"] if token else []
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "--latency"]
    return parsed(subprocess.run([*command, *header, url], capture_output=True, text=True, check=True).stdout)


def parsed(said: str) -> Run:
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    failed = int(wrong[1]) if wrong else 0
    return Run(
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", said)[1]),
        p50_ms=_ms(_found(r"50%\s+([\d.]+)([a-z]+)", said)),
        p99_ms=_ms(_found(r"99%\s+([\d.]+)([a-z]+)", said)),
        requests=int(_found(r"(\d+) requests in", said)[1]),
        failed=failed + (sum(map(int, broken.groups())) if broken else 0),
    )


def _found(pattern: str, said: str) -> "re.Match[str]":
    if (found := re.search(pattern, said)) is None:
        raise SystemExit(f"wrk said something else than expected: {said}")
    return found


def _ms(found: "re.Match[str]") -> float:
    return float(found[1]) * _UNITS_MS[found[2]]
