"""The lab: backtests, checks, and the way up."""

from typing import Annotated, Any

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform
from omc.cli.outcome import Failure
from omc.cli.platform import Platform
from omc.cli.triggers import When, triggers
from omc.cli.waiting import wait
from omc.cli.window import (
    Algorithm,
    Band,
    Cash,
    Coins,
    End,
    Latency,
    Model,
    Parameters,
    Slippage,
    Start,
    TriedWith,
    given,
    window,
)

commands = typer.Typer()

_GATES = ("gate", "figure", "threshold", "passed", "why")


@commands.command()
def backtest(
    algorithm: Algorithm,
    coins: Coins,
    start: Start,
    end: End,
    cash: Cash = "10000",
    parameters: Parameters = "{}",
    band: Band = None,
    slippage_bps: Slippage = None,
    latency_bars: Latency = None,
    model: Model = None,
    when: When = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What an algorithm would have done with stored prices."""
    body = window(coins, start, end, cash, parameters=parameters)
    body |= given(rebalance_band=band, slippage_bps=slippage_bps, latency_bars=latency_bars, model_id=model)
    body |= given(triggers=triggers(when))
    with platform(home, url) as there:
        which = named.algorithm(there, algorithm)
        with there.patiently("asking for it"):
            asked = there.post(f"/lab/algorithms/{which}/backtest", body)
        done = wait(there, f"/lab/backtests/{asked['id']}", "backtest", 1)
        if json:
            show.as_json(done)
            return
        show.facts(f"backtest {done['id']}", {"trades": done["trades"], **done["metrics"]})


@commands.command()
def promote(
    algorithm: Algorithm,
    sweep: Annotated[str | None, typer.Option(help="Take the best point of this sweep.")] = None,
    look: Annotated[bool, typer.Option("--look", help="Show the gates of the next step, and change nothing.")] = False,
    model: TriedWith = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Ask the gates for an algorithm's next status."""
    which = {"sweep_id": named.sweep(sweep)} if sweep else {}
    which |= given(model_id=model)
    with platform(home, url) as there:
        path = f"/lab/algorithms/{named.algorithm(there, algorithm)}"
        if look:
            _look(there, f"{path}/promotion", which, json)
            return
        try:
            with there.patiently("measuring for the gates"):
                promoted = there.post(f"{path}/promote", which)
        except Failure as failure:
            if not json and failure.details.get("gates"):
                gates(failure.details["gates"])
            raise
        if json:
            show.as_json(promoted)
            return
        gates(promoted["gates"])
        show.line(f"{promoted['algorithm']['name']} is {promoted['algorithm']['status']}")


def _look(there: Platform, path: str, which: dict[str, str], json: bool) -> None:
    with there.patiently("measuring for the gates"):
        step = there.get(path, **which)
    if json:
        show.as_json(step)
        return
    gates(step["gates"])
    passes = "every gate would pass" if step["passed"] else "not yet"
    show.line(f"to {step['target']}: {passes}; {step['tries']['tries']:,} tries counted")


def gates(rows: list[dict[str, Any]]) -> None:
    """Each gate with its figure, its threshold and why."""
    show.table("gates", _GATES, [[row.get(name) for name in _GATES] for row in rows])
