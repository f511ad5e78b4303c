"""`python -m cluster.doctor`: whether this machine has what the platform needs, a line each; and, while it runs on this
home, every port that it listens on.

The exit code is 1 when something is missing that it cannot do without.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from cluster.knocking import Heard
from cluster.listening import Door, doors
from cluster.needs import Need, needs
from cluster.processes import descendants
from cluster.wiring import Wiring, wiring
from omc.errors import OmcError

_AT_ONCE = 8
_TRIED: Mapping[Heard | None, str] = {
    Heard.ASKED: " (tried: it does)",
    Heard.MEASURES: " (tried: it tells measures)",
    Heard.LET_IN: " (tried: it does not)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m cluster.doctor", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--json", action="store_true", help="one JSON document")
    chosen = options.parse_args(arguments)
    try:
        wired = wiring(home=chosen.home)
        return _told(needs(wired), _doors(wired), as_json=chosen.json)
    except OmcError as fault:
        message = " ".join(str(fault).split())
        if chosen.json:
            _say(json.dumps({"status": "error", "error": {"code": "FAILED", "message": message, "details": {}}}))
        sys.stderr.write(f"omc: {message}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _doors(wired: Wiring) -> list[Door]:
    """Of the platform that runs on this home."""
    running = wired.home.running()
    found = doors(running, [running["pid"], *descendants(running["pid"])]) if running else []
    with ThreadPoolExecutor(_AT_ONCE) as knocking:
        return list(knocking.map(Door.knocked, found))


def _told(looked_at: Iterable[Need], found_open: Sequence[Door], *, as_json: bool) -> int:
    found = []
    for need in looked_at:
        found.append(need)
        if not as_json:
            _say(line(need))
    works = all(need.works for need in found if need.mandatory)
    if as_json:
        ports = [door.document for door in found_open]
        _say(json.dumps({"works": works, "checks": [asdict(need) for need in found], "ports": ports}))
    else:
        for door in found_open:
            _say(door_line(door))
    return 0 if works else 1


def line(need: Need) -> str:
    verdict = "works" if need.works else "missing"
    rest = "" if need.works or need.mandatory else " (the platform can do without)"
    return f"{verdict:<8} {need.name:<24} {need.why}{rest}"


def door_line(door: Door) -> str:
    heard, known = door.listener, door.purpose
    told = f"{known.what}, asks for {known.asks}{_TRIED.get(door.heard, '')}" if known else "unknown"
    warning = f" - WARNING: {door.warning}" if door.warning else ""
    return f"listens  {f'{heard.address}:{heard.port}':<24} {told}; reached by {heard.reached_by}{warning}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
