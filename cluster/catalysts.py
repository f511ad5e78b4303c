"""Brings events into a home's catalyst ledger: `python -m cluster.catalysts FILES…`, while its platform runs or not."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cluster.importing import open_database
from cluster.wiring import Wiring, wiring
from omc.errors import InvalidInput, OmcError
from omc.ledger.catalyst import Catalyst
from omc.ledger.catalyst_lines import parse


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    try:
        wired = wiring(home=options.home)
        events = [event for file in options.files for event in _read(file, wired)]
        with ExitStack() as stops:
            open_database(wired, stops)
            new = asyncio.run(_record(wired, events))
    except OmcError as fault:
        message = " ".join(str(fault).split())
        if options.json:
            told = {"status": "error", "error": {"code": "FAILED", "message": message, "details": {}}}
            sys.stdout.write(json.dumps(told) + "\n")
        sys.stderr.write(f"omc: {message}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    told_as = json.dumps({"events": len(events), "new": new}) if options.json else f"{len(events)} events, {new} new"
    sys.stdout.write(told_as + "\n")
    return 0


def _read(file: Path, wired: Wiring) -> list[Catalyst]:
    try:
        return parse(file.read_text(encoding="utf-8").splitlines(), wired.clock.now())
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidInput(f"{file} cannot be read: {fault}") from None
    except InvalidInput as fault:
        raise InvalidInput(f"{file}, {fault}") from None


async def _record(wired: Wiring, events: Sequence[Catalyst]) -> int:
    try:
        return await wired.catalysts.record(events)
    finally:
        await wired.database.close()


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.catalysts", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--json", action="store_true", help="the report as one JSON document")
    options.add_argument("files", type=Path, nargs="+")
    return options


if __name__ == "__main__":
    sys.exit(main())
