"""Who may look after everybody's accounts: said on the platform's own machine, and nowhere else."""

import typer

from omc.cli import start
from omc.cli.options import DEFAULT_HOME, Home, Json, absolute, command_line

commands = typer.Typer()
superuser = typer.Typer(help="Who may look after everybody's accounts.", no_args_is_help=True)
commands.add_typer(superuser, name="superuser")


@superuser.command()
def grant(email: str, home: Home = DEFAULT_HOME, json: Json = False) -> None:
    """Make the account of EMAIL a superuser's."""
    start.become("cluster.superusers", ["grant", *command_line(home=absolute(home), json=json), "--", email])


@superuser.command()
def revoke(email: str, home: Home = DEFAULT_HOME, json: Json = False) -> None:
    """Make the account of EMAIL an ordinary one. It may be the last."""
    start.become("cluster.superusers", ["revoke", *command_line(home=absolute(home), json=json), "--", email])


@superuser.command("list")
def everyone(home: Home = DEFAULT_HOME, json: Json = False) -> None:
    """Everybody who is one."""
    start.become("cluster.superusers", ["list", *command_line(home=absolute(home), json=json)])
