"""Where orders go: what a venue can do, what it cannot, and what it costs."""

from typing import Annotated

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform, settled

commands = typer.Typer()


@commands.command()
def venues(
    venue: Annotated[str | None, typer.Argument(help="Only this one, with all that it can and cannot do.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """The venues, and what each gap of theirs means for you."""
    with platform(home, url) as there:
        rows = [there.get(f"/floor/venues/{named.venue(venue)}")] if venue else list(there.everything("/floor/venues"))
    if json:
        show.as_json(rows[0] if venue else rows)
        return
    for row in rows:
        terms, live = row["terms"], row["live"]
        show.facts(
            row["name"],
            {
                "prices from": row["exchange_url"],
                "live": "available" if live["available"] else f"not available: {live['refusal']}",
                "fee of a market order": f"{terms['market_fee_bps'] / 100:g} %",
                "fee of an instant order": f"{terms['instant_fee_bps'] / 100:g} %",
                "smallest order": f"A${settled(terms['min_order_aud'])}",
                "coins with a market": ", ".join(terms["market_coins"]),
            },
        )
        cells = [(each["name"], each["has"], each["means"]) for each in row["capabilities"]]
        show.table("", ("capability", "", "what that means"), cells)
