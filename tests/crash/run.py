"""`make crash [VICTIMS=a,b] [POINTS=1,7] [SEED=n]`: kill each victim at each point, and say what was violated.

Points are named by their number in the table, from 1. The exit status is 1 when anything does not hold.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.crash.matrix import Cell, Matrix  # noqa: E402
from tests.crash.points import POINTS  # noqa: E402
from tests.crash.victims import VICTIMS  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    victims = _chosen(parser, options.victims, list(VICTIMS))
    points = _chosen(parser, options.points, list(POINTS))
    folder = Path(tempfile.mkdtemp(prefix="omc-crash-"))
    # However it is told to stop, it ends its platform and its exchange first.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda told, _: sys.exit(128 + told))
    began = time.monotonic()
    matrix = Matrix(folder, options.seed, [(victim, point) for victim in victims for point in points], _say)
    found = matrix.run()
    _say(table(found, victims, points))
    bad = {cell: sentences for cell, sentences in found.items() if sentences}
    for (victim, point), sentences in bad.items():
        for sentence in sentences:
            _say(f"{victim}, {point}: {sentence}")
    count = sum(map(len, bad.values()))
    _say(f"{len(matrix.cells)} runs, {count} violations, {time.monotonic() - began:.0f} s, seed {options.seed}")
    if bad:
        _say(f"what the platform said and kept is in {folder}")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def table(found: dict[Cell, list[str]], victims: Sequence[str], points: Sequence[str]) -> str:
    """Runs and violations, a row each victim and a column each point; a dash where nothing ran."""
    named = list(POINTS)
    width = max(len(each) for each in (*victims, "victim")) + 2
    lines = [f"{named.index(point) + 1}  {point}" for point in points]
    lines += ["", "runs/violations".rjust(width + 6), "victim".ljust(width) + "".join(_column(named, points))]
    for victim in victims:
        cells = (found.get((victim, point)) for point in points)
        row = ("-" if cell is None else f"1/{len(cell)}" for cell in cells)
        lines.append(victim.ljust(width) + "".join(each.rjust(6) for each in row))
    return "\n".join(lines)


def _column(named: list[str], points: Sequence[str]) -> list[str]:
    return [str(named.index(point) + 1).rjust(6) for point in points]


def _chosen(parser: argparse.ArgumentParser, asked: str, names: list[str]) -> list[str]:
    """Names, or numbers from 1; all of them when nothing is asked for."""
    words = [word.strip() for word in asked.split(",") if word.strip()]
    chosen = [names[int(word) - 1] if word.isdigit() and 0 < int(word) <= len(names) else word for word in words]
    for word in chosen:
        if word not in names:
            parser.error(f"{word} is none of {', '.join(names)}, or their numbers")
    return chosen or names


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--victims", default="", help=f"some of {', '.join(VICTIMS)}")
    parser.add_argument("--points", default="", help="numbers or names")
    parser.add_argument("--seed", type=int, default=7, help="of the market")
    return parser


if __name__ == "__main__":
    sys.exit(main())
