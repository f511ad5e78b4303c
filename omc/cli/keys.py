"""What the platform's operator does about the vault's own keys."""

from typing import Annotated

import typer

from omc.cli import start
from omc.cli.options import DEFAULT_HOME, Home, Json, absolute, command_line

commands = typer.Typer()
keys = typer.Typer(help="The vault's own keys, under which everybody's are sealed.", no_args_is_help=True)
commands.add_typer(keys, name="keys")


@keys.command()
def rotate(
    home: Home = DEFAULT_HOME,
    new: Annotated[bool, typer.Option("--new", help="Put a new key on top of the key file first.")] = False,
    json: Json = False,
) -> None:
    """Seal everything that is stored anew under the newest key. It may be broken off, and done again."""
    start.become("cluster.rotating", command_line(home=absolute(home), new=new, json=json))


@keys.command()
def verify(home: Home = DEFAULT_HOME, json: Json = False) -> None:
    """Open everything that is stored, and show none of it; exit code 1 names what cannot be used."""
    start.become("cluster.examining", command_line(home=absolute(home), json=json))
