"""`python -m cluster.doctor`: whether this machine has what the platform needs, a line each.

The exit code is 1 when something is missing that it cannot do without.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from cluster.needs import Need, needs
from cluster.wiring import wiring
from omc.errors import OmcError


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m cluster.doctor", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--json", action="store_true", help="one JSON document")
    chosen = options.parse_args(arguments)
    try:
        return _told(needs(wiring(home=chosen.home)), as_json=chosen.json)
    except OmcError as fault:
        message = " ".join(str(fault).split())
        if chosen.json:
            _say(json.dumps({"status": "error", "error": {"code": "FAILED", "message": message, "details": {}}}))
        sys.stderr.write(f"omc: {message}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _told(looked_at: Iterable[Need], *, as_json: bool) -> int:
    found = []
    for need in looked_at:
        found.append(need)
        if not as_json:
            _say(line(need))
    works = all(need.works for need in found if need.mandatory)
    if as_json:
        _say(json.dumps({"works": works, "checks": [asdict(need) for need in found]}))
    return 0 if works else 1


def line(need: Need) -> str:
    verdict = "works" if need.works else "missing"
    rest = "" if need.works or need.mandatory else " (the platform can do without)"
    return f"{verdict:<8} {need.name:<24} {need.why}{rest}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
