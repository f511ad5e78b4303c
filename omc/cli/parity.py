"""The floor beside its backtest, trade by trade."""

from typing import Annotated, Any

import typer

from omc.cli import named, show
from omc.cli.floor import Deployment
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform, settled

commands = typer.Typer()


@commands.command()
def parity(
    deployment: Deployment,
    every: Annotated[bool, typer.Option("--all", help="Trades that are the same, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many trades to show, oldest first.")] = 50,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Replay a deployment's life as a backtest, and show where the two part, and what that cost."""
    with platform(home, url) as there, there.patiently("replaying its life"):
        path = f"/floor/algorithms/{named.deployment(there, deployment)}/parity"
        told = there.get(path)
        rows = list(there.everything(f"{path}/trades", limit=limit, **({} if every else {"only": "different"})))
    if json:
        show.as_json({**told, "trades": rows})
        return
    names = ("start", "end", "backtest_trades", "floor_trades", "paired", "different", "only_backtest", "only_floor")
    facts = {name: told[name] for name in names}
    show.facts("", {**facts, "cost_aud": settled(told["cost_aud"]), "cost_bps": told["cost_bps"]})
    if rows:
        columns = ("bar", "side", "coin", "backtest", "floor", "later s", "price bps", "cost A$", "differs in")
        show.table("trades", columns, [_row(row) for row in rows])
    else:
        show.line("no trade differs" if told["floor_trades"] else "nothing has been traded yet")


def _row(row: dict[str, Any]) -> list[object]:
    return [
        row["bar"],
        row["side"],
        row["coin"],
        _leg(row["backtest"]),
        _leg(row["floor"]),
        row["later_s"],
        row["price_bps"],
        settled(row["cost_aud"]),
        ", ".join(_subject(each) for each in row["differences"]),
    ]


def _leg(leg: dict[str, Any] | None) -> str | None:
    return None if leg is None else f"{settled(leg['quantity'])} at {settled(leg['price_aud'])}"


def _subject(sentence: str) -> str:
    """What a difference is about: the first word after the trade's name."""
    said = sentence.split("+00:00: ", 1)[-1]
    return "missing" if said.startswith("the ") else said.split(maxsplit=1)[0]
