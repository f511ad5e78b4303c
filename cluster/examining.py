"""Opens every stored key, without showing any, whether the platform runs or not.

`python -m cluster.examining` does it for the operator. The exit code is 1 when one was tampered with, or when the key
of the vault is not here that it is sealed under.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cluster.operating import concluded, in_database, tell
from cluster.wiring import Wiring, wiring
from omc.access.examination import Examination, examine


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    return concluded(lambda: _report(options), as_json=options.json)


def examined(wired: Wiring) -> Examination:
    """By the keys that the platform itself would use. None is made where there is none."""
    return in_database(wired, lambda: examine(wired.credentials, wired.vault), vault=True)


def _report(options: argparse.Namespace) -> int:
    found = examined(wiring(home=options.home))
    tell({"sound": found.sound, **asdict(found)}) if options.json else sys.stdout.write(_said(found))
    return 0 if found.sound else 1


def _said(found: Examination) -> str:
    lines = [
        f"opened: {found.opened}",
        *(f"tampered with: {each}" for each in found.tampered),
        *(f"key lost: {each}" for each in found.lost),
    ]
    return "".join(f"{line}\n" for line in lines)


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.examining", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--json", action="store_true")
    return options


if __name__ == "__main__":
    sys.exit(main())
