"""Orders: what was asked of the venue, ended before its time, and moved to another price."""

from typing import Annotated, Any

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform, settled
from omc.cli.outcome import ExitCode, Failure

commands = typer.Typer()
orders = typer.Typer(help="List orders, cancel one, or move its limit.")
commands.add_typer(orders, name="orders")

Order = Annotated[str, typer.Argument(help="The order's id, as `omc orders` lists it.")]
_COLUMNS = ("id", "decided", "side", "coin", "quantity", "filled", "limit A$", "status", "reason")


@orders.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    deployment: Annotated[str | None, typer.Option(help="Only of this one, by id or name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """List orders, cancel one, or move its limit."""
    if context.invoked_subcommand is not None:
        return
    with platform(home, url) as there:
        path = f"/floor/algorithms/{named.deployment(there, deployment)}/orders" if deployment else "/floor/orders"
        rows = list(there.everything(path, limit=limit))
    if json:
        show.as_json(rows)
    else:
        show.table("orders", _COLUMNS, [_row(row) for row in rows])


@orders.command()
def cancel(order: Order, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """End an order before its time; what it has filled is kept."""
    with platform(home, url) as there:
        row = there.post(f"/floor/orders/{named.order(order)}/cancel", {})
    _told(row, json)


@orders.command()
def replace(
    order: Order,
    price: Annotated[str, typer.Argument(help="The new limit, in dollars for one coin.")],
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Move the limit of an order that rests on the book."""
    if not price.replace(".", "", 1).isdigit():
        raise Failure(f"{price!r} is no price", ExitCode.USAGE, code="USAGE")
    with platform(home, url) as there:
        row = there.post(f"/floor/orders/{named.order(order)}/replace", {"price_aud": price})
    _told(row, json)


def _told(row: dict[str, Any], json: bool) -> None:
    if json:
        show.as_json(row)
        return
    filled = f"{settled(row['filled_quantity'])} of {settled(row['quantity'])} {row['coin']} filled"
    why = f": {row['message']}" if row["message"] else ""
    show.line(f"{row['client_order_id']} is {row['status']} at A${settled(row['limit_aud'])}, {filled}{why}")


def _row(row: dict[str, Any]) -> list[object]:
    amounts = [settled(row[name]) for name in ("quantity", "filled_quantity", "limit_aud")]
    return [row["id"], row["decided_at"], row["side"], row["coin"], *amounts, row["status"], row["reason"]]
