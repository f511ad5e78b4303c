"""The platform itself: up, down, status, and the programs around it."""

from pathlib import Path
from typing import Annotated

import typer

from omc.cli import running, show, start
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, absolute, command_line, platform
from omc.cli.outcome import ExitCode, Failure

commands = typer.Typer()

Tape = Annotated[
    list[Path] | None, typer.Option(help="Recorded prices (CSV, feather or Parquet); once for each file.", exists=True)
]


Unsafe = Annotated[
    bool,
    typer.Option(
        "--allow-unsafe-sandbox",
        help="Run code of your own where this machine cannot confine it whole. Never for real money.",
    ),
]


@commands.command()
def up(
    home: Home = DEFAULT_HOME,
    port: Annotated[int | None, typer.Option(help="Where HTTP listens, on the loopback.  [default: 8000]")] = None,
    dashboard_port: Annotated[int | None, typer.Option(help="Ray's dashboard.  [default: 8265]")] = None,
    tape: Tape = None,
    tape_days: Annotated[int | None, typer.Option(help="The last days of the tape, to be played.")] = None,
    speed: Annotated[float | None, typer.Option(help="How many times real time the tape plays.")] = None,
    lockstep: Annotated[bool, typer.Option(help="The tape waits for the traders.")] = False,
    external_exchange: Annotated[str | None, typer.Option(help="An exchange that runs elsewhere, by address.")] = None,
    external_token_file: Annotated[Path | None, typer.Option(help="Its control token, if it is a sandbox.")] = None,
    allow_unsafe_sandbox: Unsafe = False,
) -> None:
    """Run the platform here until Ctrl-C or `omc down`."""
    arguments = command_line(
        home=absolute(home),
        port=port,
        dashboard_port=dashboard_port,
        tape=[absolute(each) for each in tape or ()],
        tape_days=tape_days,
        speed=speed,
        lockstep=lockstep,
        external_exchange=external_exchange,
        external_token_file=absolute(external_token_file) if external_token_file else None,
        allow_unsafe_sandbox=allow_unsafe_sandbox,
    )
    start.become("cluster.up", arguments)


@commands.command()
def doctor(home: Home = DEFAULT_HOME, json: Json = False) -> None:
    """Look for everything that the platform needs of this machine, before `omc up`."""
    start.become("cluster.doctor", command_line(home=absolute(home), json=json))


@commands.command()
def down(home: Home = DEFAULT_HOME, json: Json = False) -> None:
    """Stop the platform that runs on this home, and wait until it has."""
    folder = absolute(home)
    pid = running.stop(folder)
    if json:
        show.as_json({"home": str(folder), "stopped": pid})
    else:
        show.line(f"stopped (process {pid})" if pid else f"nothing runs on {folder}")


@commands.command()
def status(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Whether the platform is ready, and what it depends on."""
    with platform(home, url) as there:
        try:
            ready = there.ready()
        except Failure as failure:
            # One that is on its way out, or has no room, says only that.
            if failure.code != "UNAVAILABLE" or "dependencies" not in failure.details:
                raise
            ready = failure.details
        run = running.record(absolute(home)) or {}
        if json:
            show.as_json({"url": there.url, "dashboard": run.get("dashboard"), **ready})
        else:
            show.facts("", {"address": there.url, "dashboard": run.get("dashboard"), "process": run.get("pid")})
            rows = [(row["name"], row["ready"], row["detail"], row["ms"]) for row in ready["dependencies"]]
            show.table("dependencies", ("name", "ready", "", "ms"), rows)
            for each in ready.get("warnings", ()):
                show.line(f"warning: {each}")
        if not ready["ready"]:
            raise typer.Exit(ExitCode.FAILED)


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def sandbox_exchange(context: typer.Context) -> None:
    """Serve a sandbox exchange that speaks CoinSpot's API; its own --help says more."""
    start.become("omc.adapters.coinspot.exchange", context.args)


@commands.command()
def import_prices(
    files: Annotated[list[Path], typer.Argument(help="Recorded prices: CSV (gzip or plain), feather or Parquet.")],
    home: Home = DEFAULT_HOME,
    json: Json = False,
) -> None:
    """Bring recorded prices into the platform's history, and report their gaps."""
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise Failure(f"no such file: {', '.join(missing)}", ExitCode.USAGE, code="USAGE")
    arguments = command_line(home=absolute(home), json=json)
    start.become("cluster.importing", [*arguments, "--", *(str(absolute(file)) for file in files)])
