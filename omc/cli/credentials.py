"""Keys of exchanges and of language models. They are asked for at the terminal, or read from stdin: a command line is
for everybody on the machine to read."""

import sys
from typing import Annotated, Any

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform
from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform
from omc.cli.second_factor import Code, with_code

commands = typer.Typer()
credentials = typer.Typer(help="Entrust keys to the platform, and have them tried.", no_args_is_help=True)
commands.add_typer(credentials, name="credentials")

Name = Annotated[str, typer.Argument(help="coinspot, another exchange, or with --llm a provider of models.")]
Llm = Annotated[bool, typer.Option("--llm", help="The key of a provider of language models.")]
Promise = Annotated[
    bool,
    typer.Option("--withdrawals-disabled", help="Your word that this key cannot withdraw: not every exchange tells."),
]


@credentials.command(name="set")
def set_(
    name: Name,
    llm: Llm = False,
    withdrawals_disabled: Promise = False,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="It has a passphrase as well.")] = False,
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Store a key, in place of an earlier one. Asks for it; from a pipe, one line for each of key and secret."""
    words = ["api_key"] if llm else ["api_key", "api_secret", *(["passphrase"] if passphrase else [])]
    with platform(home, url) as there:
        path = _path(name, llm)
        body: dict[str, Any] = dict(zip(words, _asked(words), strict=True))
        if withdrawals_disabled and not llm:
            body["withdrawals_disabled"] = True
        answer = with_code(lambda proof: _stored(there, path, body, proof), code)
        show.as_json(answer) if json else _tell(answer)


@credentials.command(name="show")
def show_(
    name: Annotated[str | None, typer.Argument(help="All of them when not given.")] = None,
    llm: Llm = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What is stored: masked, with what the venue said of it."""
    with platform(home, url) as there:
        rows = [there.get(_path(name, llm))] if name else list(there.everything("/credentials"))
    if json:
        show.as_json(rows[0] if name else rows)
        return
    columns = ("kind", "name", "api_key", "access", "last_validated_at", "withdrawals_disabled", "message")
    show.table("credentials", columns, [[row[column] for column in columns] for row in rows])


@credentials.command()
def validate(
    name: Name,
    llm: Llm = False,
    withdrawals_disabled: Promise = False,
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Ask the venue now what a stored key may do."""
    with platform(home, url) as there:
        path, body = f"{_path(name, llm)}/validate", {"withdrawals_disabled": True} if withdrawals_disabled else {}
        answer = with_code(lambda proof: there.post(path, body, code=proof), code)
    show.as_json(answer) if json else _tell(answer)
    if not answer["is_validated"]:
        raise typer.Exit(ExitCode.REFUSED)


@credentials.command()
def delete(name: Name, llm: Llm = False, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Forget a key. Not while a deployment trades live by it."""
    with platform(home, url) as there:
        there.delete(_path(name, llm))
    show.as_json({"name": name}) if json else show.line(f"the key for {name} is deleted")


def _stored(there: Platform, path: str, body: dict[str, Any], code: str | None) -> dict[str, Any]:
    """As the first one, or in place of the one that there is."""
    try:
        if code is not None:
            there.get(path)  # a code is taken once, so it is shown where it will do
        answer: dict[str, Any] = there.put(path, body, code=code)
    except Failure as failure:
        if failure.code != "NOT_FOUND":
            raise
        answer = there.post(path, body, code=code)
    return answer


def _asked(words: list[str]) -> list[str]:
    if sys.stdin.isatty():
        return [typer.prompt(word.replace("_", " "), hide_input=True, err=True) for word in words]
    lines = [sys.stdin.readline().strip() for _ in words]
    if not all(lines):
        raise Failure(f"stdin must have a line for each of {', '.join(words)}", ExitCode.USAGE, code="USAGE")
    return lines


def _path(word: str, llm: bool) -> str:
    name = named.venue(word)
    if llm:
        return f"/credentials/llm/{name}"
    return f"/credentials/{name}" if name == "coinspot" else f"/credentials/exchanges/{name}"


def _tell(told: dict[str, Any]) -> None:
    known = {None: "stored, not validated", "refused": "refused", "read_only": "only reads", "full": "may trade"}
    said = f"{told['name']} {told['api_key']}: {known[told['access']]}"
    show.line(f"{said}: {told['message']}" if told["message"] else said)
    if told["access"] == "full" and not told["withdrawals_disabled"]:
        show.line("live trading needs your word that it cannot withdraw: --withdrawals-disabled")
