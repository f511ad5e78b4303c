"""Tear sheets as files to look at and to keep."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from omc.cli import show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform
from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform

commands = typer.Typer()

_KINDS = ("backtest", "sweep")


@commands.command()
def report(
    which: Annotated[str, typer.Argument(metavar="ID", help="The id of a backtest or of a sweep.")],
    to: Annotated[Path | None, typer.Option(help="The file to write; backtest-… or sweep-….html by default.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Save the tear sheet of a backtest or a sweep: one file that needs no network."""
    try:
        asked = UUID(which)
    except ValueError:
        raise Failure(f"{which!r} is not the id of a backtest or a sweep", ExitCode.USAGE, code="USAGE") from None
    with platform(home, url) as there:
        kind, page = _page(there, asked)
    file = to or Path(f"{kind}-{asked.hex[:8]}.html")
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as fault:
        raise Failure(f"{file} cannot be written: {fault.strerror}") from None
    written = {"kind": kind, "id": str(asked), "file": str(file), "bytes": len(page.encode())}
    show.as_json(written) if json else show.line(f"{kind} {asked}: {file}")


def _page(there: Platform, which: UUID) -> tuple[str, str]:
    """What it is of, and the page."""
    for kind in _KINDS:
        try:
            there.get(f"/lab/{kind}s/{which}")
        except Failure as failure:
            if failure.code != "NOT_FOUND":
                raise
        else:
            with there.patiently("drawing the page"):
                return kind, there.text(f"/lab/{kind}s/{which}/report")
    raise Failure(f"there is no backtest and no sweep {which}", ExitCode.REFUSED, code="NOT_FOUND")
