"""Opens every stored key, without showing any, whether the platform runs or not.

`python -m cluster.examining` does it for the operator. The exit code is 1 when one was tampered with, or when the key
of the vault is not here that it is sealed under.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from cluster import vault_key
from cluster.importing import open_database
from cluster.wiring import Wiring, wiring
from omc.access.examination import Examination, examine
from omc.errors import OmcError


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    try:
        found = examined(wiring(home=options.home))
    except OmcError as fault:
        message = " ".join(str(fault).split())
        if options.json:
            _print({"status": "error", "error": {"code": "FAILED", "message": message, "details": {}}})
        sys.stderr.write(f"omc: {message}\n")
        return 1
    _print({"sound": found.sound, **asdict(found)}) if options.json else sys.stdout.write(_said(found))
    return 0 if found.sound else 1


def examined(wired: Wiring) -> Examination:
    """By the keys that the platform itself would use. None is made where there is none."""
    with ExitStack() as stops:
        if open_database(wired, stops) and wired.given_vault_keys:
            # No platform runs that would have laid them out.
            stops.callback(vault_key.clear, wired)
            vault_key.lay_out(wired, frozenset())
        return asyncio.run(_examined(wired))


async def _examined(wired: Wiring) -> Examination:
    try:
        return await examine(wired.credentials, wired.vault)
    finally:
        await wired.database.close()


def _said(found: Examination) -> str:
    lines = [
        f"opened: {found.opened}",
        *(f"tampered with: {each}" for each in found.tampered),
        *(f"key lost: {each}" for each in found.lost),
    ]
    return "".join(f"{line}\n" for line in lines)


def _print(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.examining", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--json", action="store_true")
    return options


if __name__ == "__main__":
    sys.exit(main())
