"""What a deployment's algorithm is given, shown and changed while it trades."""

import json as json_module
from typing import Annotated, Any

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform
from omc.cli.outcome import ExitCode, Failure

commands = typer.Typer()


@commands.command()
def parameters(
    deployment: Annotated[str, typer.Argument(help="The deployment's id or name.")],
    change: Annotated[
        list[str] | None, typer.Argument(help="NAME=VALUE, for each that is to change.", show_default=False)
    ] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show what a deployment's algorithm is given, or change it from the next bar on; what is not named stays."""
    wanted = dict(_parameter(each) for each in change or ())
    with platform(home, url) as there:
        which = named.deployment(there, deployment)
        if wanted:
            found = there.put(f"/floor/algorithms/{which}/parameters", {"parameters": wanted})
        else:
            found = there.get(f"/floor/deployments/{which}")
        show.as_json(found) if json else show.facts(found["deployment_name"], found["parameters"])


def _parameter(word: str) -> tuple[str, Any]:
    """A number, true, false or null is meant as that, and anything else as a text."""
    name, given, value = word.partition("=")
    if not (name and given):
        raise Failure(f"{word!r} is not NAME=VALUE", ExitCode.USAGE, code="USAGE")
    try:
        read = json_module.loads(value, parse_constant=str)
    except ValueError:
        return name, value
    return name, value if isinstance(read, dict | list) else read
