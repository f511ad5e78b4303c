"""Code of one's own: read from a file, and shown with what is wrong with it where it stands."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from omc.cli import show
from omc.cli.outcome import ExitCode, Failure

MOST_BYTES = 200_000
"""What no quota goes beyond; each platform has its own, which it says itself."""

Code = Annotated[Path | None, typer.Option("--code", metavar="FILE.py", help="A Python file that defines it.")]


def read(file: Path) -> str:
    """What stands in `file`. Failure when there is none, or nothing that could be Python."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _refused(f"no such file: {file}") from None
    except OSError as fault:
        raise _refused(f"{file} cannot be read: {(fault.strerror or str(fault)).lower()}") from None
    if len(content) > MOST_BYTES:
        raise _refused(f"{file} is larger than {MOST_BYTES:,} bytes, the most that any platform takes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise _refused(f"{file}, line {line}: this is not UTF-8") from None
    if not text.strip():
        raise _refused(f"{file} is empty")
    return text


def findings(rows: Iterable[Mapping[str, Any]], code: str | None, name: str) -> None:
    """Each as `file:line:column: rule: message`, below it the line of `code` and a caret."""
    lines = (code or "").splitlines()
    for row in rows:
        line, column = row["line"], row.get("column")
        place = ":".join(str(each) for each in (name, line, column) if each is not None)
        show.line(_plain(f"{place}: {row['rule']}: {' '.join(row['message'].split())}"))
        if line is not None and 0 < line <= len(lines):
            text = lines[line - 1]
            show.line(f"    {_plain(text)}")
            if column is not None:
                show.line(f"    {_below(text, column)}^")


def counted(rows: list[dict[str, Any]]) -> str:
    return "1 finding" if len(rows) == 1 else f"{len(rows)} findings"


def _below(text: str, column: int) -> str:
    """Blanks as wide as what stands before `column`."""
    return "".join(each if each == "\t" else " " for each in text[: column - 1])


def _plain(text: str) -> str:
    """What a terminal would take for an order is shown as a mark."""
    return "".join(each if each.isprintable() or each == "\t" else "\N{REPLACEMENT CHARACTER}" for each in text)


def _refused(message: str) -> Failure:
    return Failure(message, ExitCode.USAGE, code="USAGE")
