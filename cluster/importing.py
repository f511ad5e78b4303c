"""Brings recorded prices into a home's history, and reports their gaps.

`python -m cluster.importing FILES…` does it for a person, whether the platform runs or not. With `--tape` it does what
a start needs: only the part of the tape before the exchange opens, and a description of the tape as JSON.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cluster.operating import closing, concluded, open_database, tell
from cluster.recorded_prices import Presence, presence, rfc3339
from cluster.wiring import Wiring, wiring
from omc.adapters.tape_files import read_tape

_ROWS = 20_000


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return concluded(lambda: _imported(options), as_json=options.json)


def _imported(options: argparse.Namespace) -> int:
    tape = options.files if options.tape else None
    wired = wiring(home=options.home, tape=tape, tape_days=options.tape_days)
    if options.tape:
        tell(import_history(wired))
    else:
        import_files(wired, options.files, as_json=options.json)
    return 0


def import_files(wired: Wiring, files: Sequence[Path], *, as_json: bool) -> None:
    """All of what `files` hold, with a progress bar and a report. The database is started when it does not run."""
    tape = read_tape(files)
    frame = tape.frame
    with ExitStack() as stops:
        open_database(wired, stops)
        before = {each.coin: each.bars for each in asyncio.run(wired.prices.coverage())}
        bar = Progress(
            TextColumn("importing"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        with bar:
            task = bar.add_task("", total=len(frame))
            for start in range(0, len(frame), _ROWS):
                part = frame.rows(start, min(start + _ROWS, len(frame)))
                asyncio.run(closing(wired, partial(wired.prices.load, part)))
                bar.advance(task, len(part))
        after = {each.coin: each.bars for each in asyncio.run(wired.prices.coverage())}
    found = list(presence(frame))
    new = {each.coin: after.get(each.coin, 0) - before.get(each.coin, 0) for each in found}
    if as_json:
        tell({"source": tape.source, "coins": [{**each.row, "new": new[each.coin]} for each in found]})
    else:
        Console().print(_report(tape.source, found, new))


def import_history(wired: Wiring) -> dict[str, Any]:
    """The part of the tape before the exchange opens; what the tape is."""
    tape = wired.tape()
    row = tape.split_row(wired.tape_days(tape))
    asyncio.run(closing(wired, lambda: wired.prices.load(tape.frame.rows(0, row))))
    times = tape.frame.times
    return {
        "source": tape.source,
        "coins": list(tape.frame.coins),
        "bars": len(times),
        "start": rfc3339(times[0]),
        "end": rfc3339(times[-1]),
        "history_bars": row,
        "history_end": rfc3339(times[row - 1]),
        "floor_bars": len(times) - row,
        "floor_start": rfc3339(times[row]),
        "days": wired.tape_days(tape),
    }


def _report(source: str, found: Sequence[Presence], new: dict[str, int]) -> Table:
    table = Table(title=source, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("coin", "bars", "new", "first", "last", "gaps", "longest gap"):
        table.add_column(name, justify="left" if name in ("coin", "first", "last") else "right")
    for each in found:
        longest = str(each.longest_gap) if each.longest_gap > timedelta(0) else "–"
        figures = (str(each.bars), str(new[each.coin]), each.first, each.last, str(each.gaps), longest)
        table.add_row(each.coin, *figures)
    return table


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.importing", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--json", action="store_true", help="the report as one JSON document")
    options.add_argument("--tape", action="store_true", help="the files are a tape: import what comes before its floor")
    options.add_argument("--tape-days", type=int, help="the last days of the tape are the floor's")
    options.add_argument("files", type=Path, nargs="*")
    return options


if __name__ == "__main__":
    sys.exit(main())
