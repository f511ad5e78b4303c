"""API tokens for programs. A program shows its own as OMC_TOKEN, in place of a session."""

from typing import Annotated

import typer

from omc.cli import show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform
from omc.cli.window import given

commands = typer.Typer()
tokens = typer.Typer(help="API tokens for programs.", no_args_is_help=True)
commands.add_typer(tokens, name="tokens")


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="What you will know it by.")],
    scope: Annotated[list[str], typer.Option(help="read, lab or trade; given more than once for more.")],
    expires_at: Annotated[str | None, typer.Option(help="Such as 2026-01-31T00:00:00Z: at most a year away.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Make a token. It is shown this once."""
    with platform(home, url) as there:
        made = there.post("/users/tokens", {"name": name, "scopes": scope, **given(expires_at=expires_at)})
    show.as_json(made) if json else show.line(made["token"])


@tokens.command(name="list")
def list_(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Your tokens, the newest first."""
    with platform(home, url) as there:
        rows = list(there.everything("/users/tokens"))
    if json:
        show.as_json(rows)
        return
    columns = ("id", "name", "scopes", "expires_at", "last_used_at")
    show.table("tokens", columns, [[_shown(row[column]) for column in columns] for row in rows])


@tokens.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="The token's id.")],
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """End a token. Within five seconds nobody believes it any more."""
    with platform(home, url) as there:
        there.delete(f"/users/tokens/{token_id}")
    show.as_json({"id": token_id}) if json else show.line(f"token {token_id} is revoked")


def _shown(value: object) -> object:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else value
