"""What a person sees: tables and sentences; or JSON, when a program asked."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Only a screen has an edge: what reads a table through a pipe wants every row on one line.
out = Console(highlight=False, width=None if sys.stdout and sys.stdout.isatty() else 10_000)
err = Console(stderr=True, highlight=False)


def as_json(data: Any) -> None:
    """One JSON document on stdout, for programs."""
    out.print_json(json.dumps(data), indent=2) if out.is_terminal else out.print(
        json.dumps(data), soft_wrap=True, markup=False
    )


def line(text: str) -> None:
    out.print(text, markup=False, soft_wrap=True)


def text(whole: str) -> None:
    """As it is, to the last character: for files to be made of."""
    out.file.write(whole)
    out.file.flush()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, header: bool = True) -> None:
    """Figures are right-aligned, words left."""
    listed = [[_cell(value) for value in row] for row in rows]
    drawn = Table(header_style="bold", show_header=header, box=None, padding=(0, 2, 0, 0))
    for at, name in enumerate(columns):
        figures = bool(listed) and all(_is_figure(row[at]) for row in listed)
        drawn.add_column(name, justify="right" if figures else "left", overflow="fold")
    for row in listed:
        # What others wrote is not ours to format.
        drawn.add_row(*map(Text, row))
    if title:
        out.print(title, style="italic", markup=False, soft_wrap=True)
    out.print(drawn)


def facts(title: str, rows: Mapping[str, object]) -> None:
    """Names and values, one a line."""
    table(title, ("", ""), list(rows.items()), header=False)


def _cell(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:z.4f}"
        case _:
            return str(value)


def _is_figure(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit() or text == "–"
