"""What is simulated: the options that backtests and searches share."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from omc.cli.options import coins_of
from omc.cli.outcome import ExitCode, Failure

Algorithm = Annotated[str, typer.Argument(help="The algorithm's id or name.")]
Coins = Annotated[str, typer.Option(help="Tickers between commas, in the order in which they are traded.")]
Start = Annotated[str, typer.Option(help="The first day or moment to trade, as 2018-01-31 or RFC 3339.")]
End = Annotated[str, typer.Option(help="The last day or moment to trade.")]
Cash = Annotated[str, typer.Option(help="Dollars to begin with.")]
Band = Annotated[float | None, typer.Option(help="Trade nothing for a smaller fraction of equity.")]
Parameters = Annotated[str, typer.Option(help="A JSON object, such as '{\"fast_bars\": 24}'.")]
Model = Annotated[str | None, typer.Option(help="The id of the model that decides: see `omc model`.")]
TriedWith = Annotated[
    str | None, typer.Option("--model", help="The id of the model that code is tried out with: see `omc model`.")
]
Slippage = Annotated[float | None, typer.Option(help="How far beyond the quote every order is filled.")]
Latency = Annotated[int | None, typer.Option(help="Bars by which a decision reaches the market later.")]


def window(coins: str, start: str, end: str, cash: str, *, parameters: str) -> dict[str, Any]:
    """As the HTTP API takes it."""
    return {
        "coins": coins_of(coins),
        "start_date": start,
        "end_date": end,
        "initial_cash": cash,
        "parameters": an_object(parameters),
    }


def given(**options: Any) -> dict[str, Any]:
    """Those that somebody chose; for the others the platform has its own defaults."""
    return {name: value for name, value in options.items() if value is not None}


def an_object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Failure(f"{text!r} is not a JSON object", ExitCode.USAGE, code="USAGE")
    return value
