"""What was asked of one's account, and whether anybody has changed what is on record of it."""

from pathlib import Path
from typing import Annotated

import typer

from omc.cli import show, start
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, absolute, command_line, platform

commands = typer.Typer()
audit = typer.Typer(help="What was asked of your account, newest first.", invoke_without_command=True)
commands.add_typer(audit, name="audit")


@audit.callback()
def trail(
    context: typer.Context,
    action: Annotated[str | None, typer.Option(help="Only this action, such as auth.log_in.")] = None,
    since: Annotated[str | None, typer.Option("--start", help="A day or a time, with its zone.")] = None,
    until: Annotated[str | None, typer.Option("--end", help="A day or a time, with its zone.")] = None,
    limit: Annotated[int, typer.Option(help="How many entries.", min=1)] = 50,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What was asked of your account, newest first."""
    if context.invoked_subcommand:
        return
    with platform(home, url) as there:
        found = list(there.everything("/audit", limit=limit, action=action, start=since, end=until))
    if json:
        show.as_json({"items": found})
        return
    rows = [
        (each["seq"], each["at"], each["action"], each["outcome"], each["subject"], each["actor"], each["address"])
        for each in found
    ]
    show.table("", ("#", "at", "action", "outcome", "subject", "actor", "address"), rows)


@audit.command()
def verify(
    home: Home = DEFAULT_HOME,
    export: Annotated[
        Path | None, typer.Option(help="Write the heads of all chains to this file, to be kept elsewhere.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Hold the chains against heads that were exported.")] = None,
    json: Json = False,
) -> None:
    """Follow everybody's chain of entries on this machine; exit code 1 names each that was tampered with."""
    files = {"export": absolute(export) if export else None, "against": absolute(against) if against else None}
    start.become("cluster.auditing", command_line(home=absolute(home), **files, json=json))
