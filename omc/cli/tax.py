"""What was disposed of, for the tax return."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from omc.cli import show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform, settled
from omc.cli.outcome import ExitCode, Failure

commands = typer.Typer()
_MOST = 1_000


@commands.command()
def tax(
    year: Annotated[str, typer.Option(help="The financial year, July to June, as 2025-26.")],
    mode: Annotated[str, typer.Option(help="Of deployments that are live, or paper to try it out.")] = "live",
    out: Annotated[Path | None, typer.Option(help="A CSV file to write, a disposal a row.")] = None,
    pooled: Annotated[
        bool, typer.Option("--pooled", help="Match with the oldest parcels of all deployments together.")
    ] = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What was disposed of in an Australian financial year: first in, first out, in your account's time zone."""
    query: dict[str, Any] = {"year": year, "mode": mode, **({"pooled": "true"} if pooled else {})}
    with platform(home, url) as there:
        rows = list(there.everything("/floor/pnl/disposals", **query))
        zone = there.get("/floor/risk/limits")["time_zone"]
        if out is not None:
            text = there.text(f"/floor/pnl/disposals?format=csv&{'&'.join(f'{k}={v}' for k, v in query.items())}")
            _write(out, text)
    totals = _totals(rows)
    if json:
        show.as_json({"year": year, "time_zone": zone, "totals": totals, "disposals": rows})
        return
    show.facts(f"disposals of {year}, days of {zone}", totals)
    if zone == "UTC":
        show.line("your days are those of UTC: `omc limits --time-zone Australia/Sydney` makes them those of your tax")
    if out is not None:
        show.line(f"{len(rows)} disposals are in {out}")
        return
    money = ("cost_base_aud", "proceeds_aud", "gain_aud")
    columns = ("coin", "quantity", "acquired_on", "disposed_on", "held_days", "over_twelve_months", *money)
    show.table("", columns, [[settled(row[name]) for name in columns] for row in rows[:_MOST]])
    if len(rows) > _MOST:
        show.line(f"{len(rows) - _MOST} more: --out FILE.csv has them all")


def _totals(rows: list[dict[str, Any]]) -> dict[str, str]:
    """The discount is whoever's to apply who may have it: here stand gains apart by how long coins were held."""
    gains = [(Decimal(row["gain_aud"]), bool(row["over_twelve_months"])) for row in rows]
    sums = {
        "disposals": Decimal(len(rows)),
        "proceeds A$": sum((Decimal(row["proceeds_aud"]) for row in rows), Decimal(0)),
        "cost base A$": sum((Decimal(row["cost_base_aud"]) for row in rows), Decimal(0)),
        "gains, held over 12 months A$": sum((gain for gain, long in gains if gain > 0 and long), Decimal(0)),
        "gains, others A$": sum((gain for gain, long in gains if gain > 0 and not long), Decimal(0)),
        "losses A$": sum((gain for gain, _ in gains if gain < 0), Decimal(0)),
        "all together A$": sum((gain for gain, _ in gains), Decimal(0)),
    }
    return {name: f"{value:,.2f}" if "A$" in name else f"{value}" for name, value in sums.items()}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as fault:
        raise Failure(f"{path} cannot be written: {fault.strerror}", ExitCode.FAILED) from None
