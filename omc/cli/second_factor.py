"""The second factor: set up, switched off, and asked for when the platform says that it needs a code."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from omc.cli import show, start
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, absolute, command_line, platform
from omc.cli.outcome import ExitCode, Failure

commands = typer.Typer()
factor = typer.Typer(help="A code from an authenticator, before real money is traded.", no_args_is_help=True)
commands.add_typer(factor, name="second-factor")

Code = Annotated[str | None, typer.Option(help="Of the second factor. Asked for when one is needed and none is given.")]


def with_code(ask: Callable[[str | None], Any], code: str | None) -> Any:
    """What `ask` answers; it is asked again with a code from the terminal when the platform wants one."""
    try:
        return ask(code)
    except Failure as failure:
        if code is not None or failure.details.get("second_factor") != "required" or not sys.stdin.isatty():
            raise
    return ask(typer.prompt("code of the second factor", err=True))


@factor.command()
def on(home: Home = DEFAULT_HOME, url: Url = None) -> None:
    """Set one up: asks for the password, shows the secret, asks for its first code, shows the recovery codes."""
    with platform(home, url) as there:
        begun = there.post("/users/second-factor", {"password": _asked("password", hidden=True)})
        show.line(f"secret: {begun['secret']}")
        show.line(begun["otpauth_uri"])
        told = there.post("/users/second-factor/confirm", {"code": _asked("code", hidden=False)})
        show.line("the second factor is on. Keep these recovery codes where the device is not:")
        for code in told["recovery_codes"]:
            show.line(code)


@factor.command()
def off(home: Home = DEFAULT_HOME, url: Url = None) -> None:
    """Switch it off, by the password and a code or a recovery code."""
    with platform(home, url) as there:
        body = {"password": _asked("password", hidden=True), "code": _asked("code", hidden=False)}
        there.delete("/users/second-factor", body)
        show.line("the second factor is off")


@factor.command()
def status(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Whether it is on, and how many recovery codes are left."""
    with platform(home, url) as there:
        found = there.get("/users/second-factor")
    left = found["recovery_codes_left"]
    show.as_json(found) if json else show.line(f"{found['state']}, {left} recovery codes left")


@factor.command()
def reset(email: str, home: Home = DEFAULT_HOME, json: Json = False) -> None:
    """Take away the second factor of EMAIL, who has lost it and its recovery codes: on the platform's own machine."""
    start.become("cluster.second_factors", ["reset", *command_line(home=absolute(home), json=json), "--", email])


def _asked(what: str, *, hidden: bool) -> str:
    if sys.stdin.isatty():
        asked: str = typer.prompt(what, hide_input=hidden, err=True)
        return asked
    line = sys.stdin.readline().strip()
    if not line:
        raise Failure(f"stdin must have a line for the {what}", ExitCode.USAGE, code="USAGE")
    return line
