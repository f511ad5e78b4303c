"""Brings events into a home's catalyst ledger: `python -m cluster.catalysts FILES…`, while its platform runs or not."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster.operating import concluded, in_database, tell
from cluster.wiring import Wiring, wiring
from omc.errors import InvalidInput
from omc.ledger.catalyst import Catalyst
from omc.ledger.catalyst_lines import parse


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    return concluded(lambda: _recorded(options), as_json=options.json)


def _recorded(options: argparse.Namespace) -> int:
    wired = wiring(home=options.home)
    events = [event for file in options.files for event in _read(file, wired)]
    new = in_database(wired, lambda: wired.catalysts.record(events))
    if options.json:
        tell({"events": len(events), "new": new})
    else:
        sys.stdout.write(f"{len(events)} events, {new} new\n")
    return 0


def _read(file: Path, wired: Wiring) -> list[Catalyst]:
    try:
        return parse(file.read_text(encoding="utf-8").splitlines(), wired.clock.now())
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidInput(f"{file} cannot be read: {fault}") from None
    except InvalidInput as fault:
        raise InvalidInput(f"{file}, {fault}") from None


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.catalysts", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--json", action="store_true", help="the report as one JSON document")
    options.add_argument("files", type=Path, nargs="+")
    return options


if __name__ == "__main__":
    sys.exit(main())
