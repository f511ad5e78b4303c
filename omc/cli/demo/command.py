"""`omc demo`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from omc.cli import running, show
from omc.cli.demo import report
from omc.cli.demo.child import PlatformProcess, emptied
from omc.cli.demo.faults import Faults
from omc.cli.demo.own import Own
from omc.cli.demo.page import counted
from omc.cli.demo.plan import Plan
from omc.cli.demo.play import Play
from omc.cli.demo.report import Report
from omc.cli.options import Json, absolute, settled
from omc.cli.outcome import Failure
from omc.cli.platform import Platform
from omc.cli.service import Tape, Unsafe

commands = typer.Typer()


@commands.command()
def demo(
    home: Annotated[Path, typer.Option(help="A folder of its own, emptied first.")] = Path("var/demo"),
    tape: Tape = None,
    days: Annotated[int | None, typer.Option(min=1, help="The floor's part: the last days of the tape.")] = None,
    port: Annotated[int, typer.Option(help="Where HTTP listens; 0 for any free port.")] = 0,
    algorithm: Annotated[
        Path | None, typer.Option(metavar="FILE.py", help="An algorithm of your own, instead of a built-in one.")
    ] = None,
    faults: Annotated[
        int | None, typer.Option(min=0, metavar="SEED", help="Let the exchange misbehave while the floor trades.")
    ] = None,
    allow_unsafe_sandbox: Unsafe = False,
    json: Json = False,
) -> None:
    """From nothing to a report: boot, research, promote, deploy on paper, trade, and prove it."""
    folder, files = absolute(home), [absolute(each) for each in tape or ()]
    own = None if algorithm is None else Own.of(algorithm.expanduser())
    plan = Plan()
    platform = PlatformProcess(
        folder,
        port=port,
        tape=files,
        days=days or (None if files else plan.synthetic_days),
        allow_unsafe_sandbox=allow_unsafe_sandbox,
    )
    show.out.quiet = json
    try:
        found = _played(platform, plan, own, faults)
    finally:
        show.out.quiet = False
    found.write(folder)
    show.as_json(found.figures) if json else _print(found, folder)
    if not found.holds:
        raise Failure("the floor and the backtest, or our books and the exchange's, differ: see the report")


def _played(platform: PlatformProcess, plan: Plan, own: Own | None, seed: int | None) -> Report:
    folder = platform.home
    emptied(folder)
    show.line(f"booting    on {folder}")
    with platform:
        run = running.record(folder)
        if run is None:
            raise Failure("the platform is gone")
        if notice := (run.get("confinement") or {}).get("notice"):
            show.err.print(f"omc: {notice}", style="bold red", markup=False, soft_wrap=True)
        played: dict[str, Any] = run["tape"]
        show.line(f"ready      {run['url']} after {platform.boot_s:.1f} s; dashboard {run['dashboard']}")
        show.line(f"tape       {played['source']}: {', '.join(played['coins'])}, {played['bars']} bars")
        with Platform(run["url"], folder) as there:
            faults = None if seed is None else Faults(seed, plan.fault_rates, run["exchange"], folder)
            play = Play(there, platform, played, plan, own, faults)
            play.run()
            return report.of(play, folder)


def _print(found: Report, home: Path) -> None:
    figures = found.figures
    floor, parity = figures["floor"], figures["parity"]
    counts, latency = ("intents", "denied", "orders", "fills"), floor["decision_to_order_ms"]
    show.facts(
        "floor",
        {
            ", ".join(counts): ", ".join(str(floor[name]) for name in counts),
            "fees": f"{settled(floor['fees_aud'])} AUD",
            "realized P&L": f"{settled(floor['realized_pnl_aud'])} AUD",
            "unrealized P&L": f"{settled(floor['unrealized_pnl_aud'])} AUD",
            "equity": f"{settled(floor['equity_aud'])} AUD",
            "decision to order": f"{latency['p50']} ms (p50), {latency['p99']} ms (p99)",
            "limits (wide on purpose)": ", ".join(f"{name} {value}" for name, value in floor["limits"].items()),
        },
    )
    rows = [[gate[name] for name in ("gate", "figure", "threshold", "passed", "why")] for gate in figures["deployable"]]
    show.table("gates before real money", ("gate", "figure", "threshold", "passed", "why"), rows)
    show.line(f"tries      {counted(figures['tries'])}")
    show.table("actors", ("name", "state"), [(row["name"], row["state"]) for row in figures["actors"]])
    show.line(
        f"parity     {parity['backtest_trades']} trades in the backtest, {parity['floor_trades']} on the floor, "
        f"{len(parity['differences'])} differences"
    )
    show.line(f"books      {len(figures['reconciliation']['differences'])} differences from the exchange's")
    for each in found.differences[:20]:
        show.line(f"  {each}")
    show.line(f"report     {home / 'report.html'} and report.json")
