"""Searches over parameters: sweeps, and walk-forwards, which are sweeps that are judged out of sample."""

import json as json_module
from typing import Annotated, Any

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform
from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform
from omc.cli.waiting import watch
from omc.cli.window import (
    Algorithm,
    Band,
    Cash,
    Coins,
    End,
    Latency,
    Parameters,
    Slippage,
    Start,
    an_object,
    given,
    window,
)

commands = typer.Typer()

Space = Annotated[str, typer.Option(help="A JSON object: parameter to its values, or to low and high.")]
Method = Annotated[str, typer.Option(help="grid, random or optuna.")]
Points = Annotated[int | None, typer.Option(help="How many, for random and optuna.")]
Objective = Annotated[str, typer.Option(help="The metric of which more is better.")]
Seed = Annotated[int, typer.Option(help="Of whatever is drawn at random.")]
Scheme = Annotated[str | None, typer.Option(help="anchored: train on all before; rolling: on the part just before.")]
Purge = Annotated[int | None, typer.Option(help="Bars left out at the end of each part.")]
Embargo = Annotated[int | None, typer.Option(help="Bars left out at the start of each part.")]
Prune = Annotated[bool, typer.Option("--prune", help="Give two thirds of the points up after each fold.")]
Top = Annotated[int, typer.Option(min=1, help="How many points to show.")]


@commands.command()
def sweep(
    algorithm: Annotated[str | None, typer.Argument(help="The algorithm's id or name.")] = None,
    coins: Coins = "",
    start: Start = "",
    end: End = "",
    cash: Cash = "10000",
    space: Space = "{}",
    method: Method = "grid",
    points: Points = None,
    objective: Objective = "sharpe",
    seed: Seed = 7,
    folds: Annotated[int | None, typer.Option(help="Parts to walk forward through; none by default.")] = None,
    scheme: Scheme = None,
    purge_bars: Purge = None,
    embargo_bars: Embargo = None,
    prune: Prune = False,
    band: Band = None,
    slippage_bps: Slippage = None,
    latency_bars: Latency = None,
    parameters: Parameters = "{}",
    resume: Annotated[str | None, typer.Option(help="Go on with this sweep, or look at it again, instead.")] = None,
    cancel: Annotated[str | None, typer.Option(help="End this sweep instead; what it has found stays.")] = None,
    top: Top = 10,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Search an algorithm's parameters over stored prices."""
    with platform(home, url) as there:
        if cancel is not None:
            ended = there.post(f"/lab/sweeps/{named.sweep(cancel)}/cancel")
            show.as_json(ended) if json else show.line(f"sweep {ended['id']} is {ended['status']}")
            return
        if resume is None:
            if not (algorithm and coins and start and end):
                raise Failure("a sweep needs ALGORITHM, --coins, --start and --end", ExitCode.USAGE, code="USAGE")
            body = window(coins, start, end, cash, parameters=parameters)
            body |= given(rebalance_band=band, slippage_bps=slippage_bps, latency_bars=latency_bars)
            body |= {"space": an_object(space), "method": method, "objective": objective, "seed": seed}
            body |= given(points=points, folds=folds, scheme=scheme, prune=prune or None)
            body |= given(purge_bars=purge_bars, embargo_bars=embargo_bars)
            asked = _begun(there, algorithm, body)
        else:
            asked = _resumed(there, named.sweep(resume))
        done = watch(there, asked["id"])
        best = _best(there, done, top)
        if json:
            show.as_json({**done, "results": best})
            return
        _points(done, best)


@commands.command("walk-forward")
def walk_forward(
    algorithm: Algorithm,
    coins: Coins,
    start: Start,
    end: End,
    space: Space,
    cash: Cash = "10000",
    method: Method = "grid",
    points: Points = None,
    objective: Objective = "sharpe",
    seed: Seed = 7,
    folds: Annotated[int, typer.Option(min=2, help="Parts to walk forward through.")] = 5,
    scheme: Scheme = None,
    purge_bars: Purge = None,
    embargo_bars: Embargo = None,
    prune: Prune = False,
    band: Band = None,
    slippage_bps: Slippage = None,
    latency_bars: Latency = None,
    parameters: Parameters = "{}",
    top: Top = 5,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Search fold by fold, and say what trading the choice of each would have come to: out of sample only."""
    body = window(coins, start, end, cash, parameters=parameters)
    body |= given(rebalance_band=band, slippage_bps=slippage_bps, latency_bars=latency_bars)
    body |= {"space": an_object(space), "method": method, "objective": objective, "seed": seed, "folds": folds}
    body |= given(points=points, scheme=scheme, prune=prune or None)
    body |= given(purge_bars=purge_bars, embargo_bars=embargo_bars)
    with platform(home, url) as there:
        asked = _begun(there, algorithm, body)
        done = watch(there, asked["id"])
        best = _best(there, done, top)
        with there.patiently("judging the search"):
            verdict = there.get(f"/lab/sweeps/{done['id']}/verdict")
        if json:
            show.as_json({**done, "results": best, "verdict": verdict})
            return
        _points(done, best)
        _judged(verdict)


def _begun(there: Platform, algorithm: str, body: dict[str, Any]) -> Any:
    """An answer that is slow is waited for: asked again, there would be two."""
    which = named.algorithm(there, algorithm)
    with there.patiently("asking for it"):
        return there.post(f"/lab/algorithms/{which}/sweeps", body)


def _resumed(there: Platform, sweep_id: str) -> Any:
    """One that is over is only looked at."""
    now = there.get(f"/lab/sweeps/{sweep_id}")
    return now if now["status"] in ("completed", "cancelled") else there.post(f"/lab/sweeps/{sweep_id}/resume")


def _best(there: Platform, sweep: dict[str, Any], top: int) -> list[dict[str, Any]]:
    return list(there.everything(f"/lab/sweeps/{sweep['id']}/results", limit=top))


def _points(sweep: dict[str, Any], best: list[dict[str, Any]]) -> None:
    measure = sweep["objective"]
    rows = [(row["metrics"].get(measure), json_module.dumps(row["parameters"])) for row in best]
    count = f"{sweep['done']} points, {sweep['failed']} failed, {sweep['pruned']} pruned"
    show.table(f"sweep {sweep['id']}: {count}, best first", (measure, "parameters"), rows)


def _judged(verdict: dict[str, Any]) -> None:
    columns = ("fold", "in_sample_sharpe", "out_of_sample_sharpe", "parameters")
    rows = [
        [*(each[name] for name in columns[:3]), json_module.dumps(each["parameters"])] for each in verdict["choices"]
    ]
    show.table("chosen before each fold, and what came of it", columns, rows)
    left = verdict["deflated"] or {}
    show.facts(
        "verdict",
        {
            "out-of-sample Sharpe": verdict["out_of_sample_sharpe"],
            "probability of overfitting": verdict["pbo"],
            "deflated Sharpe's probability": left.get("probability"),
            "tries": verdict["tries"],
        },
    )
