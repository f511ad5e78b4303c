"""The lab: algorithms, backtests, sweeps, promotion."""

import json as json_module
import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, coins_of, platform
from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform

commands = typer.Typer()
algorithms = typer.Typer(help="Make and list algorithms.", no_args_is_help=True)
commands.add_typer(algorithms, name="algorithm")

_ASK_AGAIN_S = 0.5
Algorithm = Annotated[str, typer.Argument(help="The algorithm's id or name.")]
Coins = Annotated[str, typer.Option(help="Tickers between commas, in the order in which they are traded.")]
Start = Annotated[str, typer.Option(help="The first day or moment to trade, as 2018-01-31 or RFC 3339.")]
End = Annotated[str, typer.Option(help="The last day or moment to trade.")]
Cash = Annotated[str, typer.Option(help="Dollars to begin with.")]
Band = Annotated[float | None, typer.Option(help="Trade nothing for a smaller fraction of equity.")]
Parameters = Annotated[str, typer.Option(help="A JSON object, such as '{\"fast_bars\": 24}'.")]


@algorithms.command()
def create(
    name: str,
    type_: Annotated[str, typer.Option("--type", help="The built-in algorithm that it is.")],
    parameters: Parameters = "{}",
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Make an algorithm: a draft, to be proven."""
    body = {"name": name, "algorithm_type": type_, "parameters": _object(parameters), "description": description}
    with platform(home, url) as there:
        made = there.post("/lab/algorithms", body)
        show.as_json(made) if json else show.line(f"{made['name']} is a {made['status']}: {made['id']}")


@algorithms.command("list")
def list_(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Your algorithms."""
    with platform(home, url) as there:
        rows = list(there.everything("/lab/algorithms"))
        if json:
            show.as_json(rows)
            return
        columns = ("id", "name", "algorithm_type", "status", "version")
        show.table("algorithms", columns, [[row[name] for name in columns] for row in rows])


@commands.command()
def backtest(
    algorithm: Algorithm,
    coins: Coins,
    start: Start,
    end: End,
    cash: Cash = "10000",
    parameters: Parameters = "{}",
    band: Band = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What an algorithm would have done with stored prices."""
    with platform(home, url) as there:
        body = _window(coins, start, end, cash, band) | {"parameters": _object(parameters)}
        asked = there.post(f"/lab/algorithms/{named.algorithm(there, algorithm)}/backtest", body)
        done = wait(there, f"/lab/backtests/{asked['id']}", "backtest", 1)
        if json:
            show.as_json(done)
            return
        show.facts(f"backtest {done['id']}", {"trades": done["trades"], **done["metrics"]})


@commands.command()
def sweep(
    algorithm: Annotated[str | None, typer.Argument(help="The algorithm's id or name.")] = None,
    coins: Coins = "",
    start: Start = "",
    end: End = "",
    cash: Cash = "10000",
    space: Annotated[str, typer.Option(help="A JSON object: parameter to its values, or to low and high.")] = "{}",
    method: Annotated[str, typer.Option(help="grid or random.")] = "grid",
    points: Annotated[int | None, typer.Option(help="How many, for random.")] = None,
    objective: Annotated[str, typer.Option(help="The metric of which more is better.")] = "sharpe",
    seed: Annotated[int, typer.Option(help="Of the random draw.")] = 7,
    band: Band = None,
    parameters: Parameters = "{}",
    resume: Annotated[str | None, typer.Option(help="Look at this sweep again instead.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many points to show.")] = 10,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Search an algorithm's parameters over stored prices."""
    with platform(home, url) as there:
        if resume is None:
            if not (algorithm and coins and start and end):
                raise Failure("a sweep needs ALGORITHM, --coins, --start and --end", ExitCode.USAGE, code="USAGE")
            search = {"space": _object(space), "method": method, "objective": objective, "seed": seed}
            search |= {"points": points} if points is not None else {}
            body = _window(coins, start, end, cash, band) | {"parameters": _object(parameters)} | search
            asked = there.post(f"/lab/algorithms/{named.algorithm(there, algorithm)}/sweeps", body)
        else:
            asked = there.get(f"/lab/sweeps/{named.sweep(resume)}")
        done = wait(there, f"/lab/sweeps/{asked['id']}", "sweep", asked["points"])
        best = list(there.everything(f"/lab/sweeps/{asked['id']}/results", limit=top))
        if json:
            show.as_json({**done, "results": best})
            return
        measure = done["objective"]
        rows = [(row["metrics"].get(measure), json_module.dumps(row["parameters"])) for row in best]
        show.table(f"sweep {done['id']}: {done['done']} points, best first", (measure, "parameters"), rows)


@commands.command()
def promote(
    algorithm: Algorithm,
    sweep: Annotated[str | None, typer.Option(help="Take the best point of this sweep.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Ask the gates for an algorithm's next status."""
    with platform(home, url) as there:
        body = {"sweep_id": named.sweep(sweep)} if sweep else {}
        try:
            promoted = there.post(f"/lab/algorithms/{named.algorithm(there, algorithm)}/promote", body)
        except Failure as failure:
            if not json and failure.details.get("gates"):
                gates(failure.details["gates"])
            raise
        if json:
            show.as_json(promoted)
            return
        gates(promoted["gates"])
        show.line(f"{promoted['algorithm']['name']} is {promoted['algorithm']['status']}")


def gates(rows: list[dict[str, Any]]) -> None:
    """Each gate with its figure and threshold."""
    columns = ("gate", "figure", "threshold", "passed")
    show.table("gates", columns, [[row.get(name) for name in columns] for row in rows])


def wait(there: Platform, path: str, what: str, total: int) -> dict[str, Any]:
    """Wait until something long is over, with a progress bar. It goes on when the waiting is interrupted."""
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=show.err,
        transient=True,
        disable=not show.err.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=total)
        while True:
            now: dict[str, Any] = there.get(path)
            bar.update(task, completed=round(now["progress"] * total))
            if now["status"] == "completed":
                return now
            if now["status"] in ("failed", "cancelled"):
                reason = now.get("error_message") or "it was cancelled"
                raise Failure(f"the {what} has {now['status']}: {reason}", code=now["status"].upper(), details=now)
            time.sleep(_ASK_AGAIN_S)


def _window(coins: str, start: str, end: str, cash: str, band: float | None) -> dict[str, Any]:
    window = {"coins": coins_of(coins), "start_date": start, "end_date": end, "initial_cash": cash}
    return window if band is None else {**window, "rebalance_band": band}


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json_module.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Failure(f"{text!r} is not a JSON object", ExitCode.USAGE, code="USAGE")
    return value
