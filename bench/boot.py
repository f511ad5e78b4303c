"""How long a cold start takes, what memory it holds by process, and where it listens.

`python bench/boot.py [--json FILE]` starts the platform on an empty home, waits until it is ready, lets it rest for a
moment, measures, and stops it. Memory is PSS (a shared page is divided among those who share it).
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READY_LIMIT_S, PSS_LIMIT_MB = 25.0, 2560.0
LOOPBACK = {"127.0.0.1", "::1"}


def tree(of: int) -> list[int]:
    """`of` and every process below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(stat.read_text().rsplit(")", 1)[1].split()[1]), []).append(int(stat.parent.name))
        except (OSError, IndexError):
            continue
    found, waiting = [of], [of]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def name(pid: int) -> str:
    """What a process is, in a word or two."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "gone"
    line = " ".join(words).strip()
    if "-m" in words[:4]:
        return " ".join(words[words.index("-m") : words.index("-m") + 2])
    return (
        line.split(" (")[0]
        if line.startswith(("ray::", "ray-", "postgres:"))
        else Path(words[0]).name + " " + next((Path(word).name for word in words[1:] if word.endswith(".py")), "")
    )


def listening(pids: list[int]) -> list[tuple[str, int, str]]:
    """(address, port, process) of every TCP socket that any of `pids` listens on."""
    sockets: dict[str, str] = {}
    for pid in pids:
        try:
            links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        sockets.update({link[8:-1]: name(pid) for link in links if link.startswith("socket:[")})
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                raw, port = fields[1].split(":")
                words = b"".join(int(raw[at : at + 8], 16).to_bytes(4, "little") for at in range(0, len(raw), 8))
                found.add((socket.inet_ntop(family, words).removeprefix("::ffff:"), int(port, 16), sockets[fields[9]]))
    return sorted(found, key=lambda row: row[1])


def start(home: Path) -> tuple[subprocess.Popen[str], float, str]:
    """A platform on an empty home, with the seconds until it said that it is ready."""
    began = time.monotonic()
    platform = subprocess.Popen(
        [sys.executable, "-m", "cluster.up", "--home", str(home), "--port", "0", "--dashboard-port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in platform.stdout or ():
        if line.startswith("ready "):
            return platform, time.monotonic() - began, line.split()[1]
    raise SystemExit("the platform did not become ready")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path, help="also write the figures here")
    chosen = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="omc-boot-"))
    platform, ready_s, url = start(home)
    try:
        time.sleep(5)
        pids = tree(platform.pid)
        rows = sorted(((pss_mb(pid), cpu_s(pid), name(pid)) for pid in pids), reverse=True)
        ports = listening(pids)
    finally:
        platform.send_signal(signal.SIGTERM)
        stop_began = time.monotonic()
        platform.wait(60)
        stop_s = time.monotonic() - stop_began
        shutil.rmtree(home, ignore_errors=True)
    total = sum(row[0] for row in rows)
    print(f"{'PSS MB':>8} {'CPU s':>6}  process")
    for megabytes, seconds, what in rows:
        print(f"{megabytes:8.1f} {seconds:6.2f}  {what}")
    print(f"{total:8.1f} {sum(row[1] for row in rows):6.2f}  {len(rows)} processes")
    print(f"\nlistening: {', '.join(f'{address}:{port}' for address, port, _ in ports)}")
    open_ports = [row for row in ports if row[0] not in LOOPBACK]
    print(f"not on the loopback: {open_ports or 'none'}")
    print(
        f"\nready at {url} after {ready_s:.1f} s ({ready_s / READY_LIMIT_S:.2f} of the limit of {READY_LIMIT_S:.0f} s)"
    )
    print(
        f"PSS {total:.0f} MB ({total / PSS_LIMIT_MB:.2f} of the limit of {PSS_LIMIT_MB:.0f} MB); "
        f"stopped in {stop_s:.1f} s"
    )
    left = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    print(f"left behind after SIGTERM: {left or 'nothing'}")
    if chosen.json:
        figures = {
            "ready_s": round(ready_s, 2),
            "ready_limit_s": READY_LIMIT_S,
            "pss_mb": round(total, 1),
            "pss_limit_mb": PSS_LIMIT_MB,
            "stop_s": round(stop_s, 2),
            "processes": [{"name": what, "pss_mb": round(mb, 1), "cpu_s": cpu} for mb, cpu, what in rows],
            "ports": [{"address": address, "port": port, "process": who} for address, port, who in ports],
            "left_behind": left,
        }
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
