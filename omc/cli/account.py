"""Coming in: register, login, logout; and what one may use."""

import sys
from typing import Annotated

import typer

from omc.cli import show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform
from omc.cli.outcome import ExitCode, Failure
from omc.cli.second_factor import Code, with_code

commands = typer.Typer()
account = typer.Typer(help="Your own account.", no_args_is_help=True)
commands.add_typer(account, name="account")

Password = Annotated[
    str | None,
    typer.Option(envvar="OMC_PASSWORD", show_envvar=False, help="Asked for when not given; - reads it from stdin."),
]


@commands.command()
def register(
    email: str,
    password: Password = None,
    full_name: Annotated[str | None, typer.Option(help="Your name.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Open an account and sign in."""
    with platform(home, url) as there:
        secret = _secret(password, twice=True)
        profile = there.register(email, secret, full_name)
        there.log_in(email, secret)
        show.as_json(profile) if json else show.line(f"registered and signed in as {profile['email']}")


@commands.command()
def login(
    email: str, password: Password = None, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False
) -> None:
    """Sign in at this terminal."""
    with platform(home, url) as there:
        there.log_in(email, _secret(password, twice=False))
        show.as_json({"email": email, "url": there.url}) if json else show.line(f"signed in as {email}")


@commands.command()
def logout(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Sign out at this terminal."""
    with platform(home, url) as there:
        there.log_out()
        show.as_json({"url": there.url}) if json else show.line("signed out")


@account.command()
def delete(
    password: Password = None,
    leave_coins: Annotated[
        bool, typer.Option("--leave-coins", help="Coins of deactivated live deployments stay at their exchange.")
    ] = False,
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Delete the account that is signed in here, for good."""
    with platform(home, url) as there:
        body = {"current_password": _secret(password, twice=False), "leave_coins": leave_coins}
        with_code(lambda proof: there.delete("/users/profile", body, code=proof), code)
        there.log_out()
        show.as_json({"url": there.url}) if json else show.line("the account is deleted")


@commands.command()
def quota(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """What you may have and use of the lab, and how much of it is used."""
    with platform(home, url) as there:
        found = there.get("/lab/quota")
    if json:
        show.as_json(found)
        return
    rows = [(name, each["used"], each["limit"], each["starts_anew_at"]) for name, each in found.items()]
    show.table("", ("", "used", "of", "starts anew"), rows)


def _secret(given: str | None, *, twice: bool) -> str:
    if given == "-":
        return sys.stdin.readline().rstrip("\n")
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise Failure("a password is needed: --password - reads it from stdin", ExitCode.USAGE, code="USAGE")
    asked: str = typer.prompt("password", hide_input=True, confirmation_prompt=twice)
    return asked
