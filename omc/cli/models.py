"""Models: what code that learns has learned from stored prices."""

from typing import Annotated
from uuid import UUID

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, coins_of, platform
from omc.cli.outcome import ExitCode, Failure
from omc.cli.window import Algorithm, Coins, End, Parameters, Start, an_object

commands = typer.Typer()
models = typer.Typer(help="What code that learns has learned.", no_args_is_help=True)
commands.add_typer(models, name="model")

Which = Annotated[str, typer.Argument(metavar="MODEL", help="The model's id.")]


@models.command()
def fit(
    algorithm: Algorithm,
    coins: Coins,
    start: Start,
    end: End,
    parameters: Parameters = "{}",
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Let an algorithm of your own learn from stored prices, and keep what it has learned."""
    body = {
        "coins": coins_of(coins),
        "start_date": start,
        "end_date": end,
        "parameters": an_object(parameters),
    }
    with platform(home, url) as there:
        which = named.algorithm(there, algorithm)
        with there.patiently("fitting"):
            made = there.post(f"/lab/algorithms/{which}/models", body)
    said = f"model {made['id']}: {made['size_bytes']:,} bytes, learned from {made['bars']:,} bars"
    show.as_json(made) if json else show.line(said)


@models.command("list")
def list_(algorithm: Algorithm, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """An algorithm's models, newest first."""
    with platform(home, url) as there:
        rows = list(there.everything(f"/lab/algorithms/{named.algorithm(there, algorithm)}/models"))
    if json:
        show.as_json(rows)
        return
    columns = ("id", "version", "first_bar", "last_bar", "bars", "size_bytes")
    show.table("models", columns, [[row[name] for name in columns] for row in rows])


@models.command("show")
def show_(model: Which, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """What a model came from."""
    with platform(home, url) as there:
        found = there.get(f"/lab/models/{_id(model)}")
    show.as_json(found) if json else show.facts("", found)


@models.command()
def delete(model: Which, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Delete a model; refused while a deployment that uses it is not over."""
    which = _id(model)
    with platform(home, url) as there:
        there.delete(f"/lab/models/{which}")
    show.as_json({"id": which}) if json else show.line(f"deleted {which}")


def _id(word: str) -> str:
    try:
        return str(UUID(word))
    except ValueError:
        raise Failure(f"{word!r} is not the id of a model", ExitCode.USAGE, code="USAGE") from None
