"""Our books beside the venue's, the orders that wait for a person, and what that person says of them."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform, settled
from omc.cli.outcome import ExitCode, Failure
from omc.cli.second_factor import Code, with_code

commands = typer.Typer()
reconcile = typer.Typer(help="Compare our books with the venue's, and decide what only you can tell.")
commands.add_typer(reconcile, name="reconcile")


@reconcile.callback(invoke_without_command=True)
def compare(
    context: typer.Context,
    deployment: Annotated[str | None, typer.Option(help="Only this one, by id or name.")] = None,
    now: Annotated[bool, typer.Option("--now", help="Compare anew rather than show the last comparison.")] = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Compare our books with the venue's, and decide what only you can tell."""
    if context.invoked_subcommand is not None:
        return
    with platform(home, url) as there:
        which = named.deployment(there, deployment) if deployment else None
        rows = list(there.everything("/floor/reconciliation", deployment_id=which, now="true" if now else None))
    if json:
        show.as_json(rows)
        return
    if not rows:
        show.line("nothing is deployed")
    for row in rows:
        _shown(row)


@reconcile.command()
def resolve(
    order: Annotated[str, typer.Argument(help="The id of an order that waits, as `omc reconcile` lists it.")],
    fill: Annotated[list[str] | None, typer.Option(help="A fill that was this order's; as often as needed.")] = None,
    venue_order: Annotated[str | None, typer.Option(help="The venue's id of the order that it is.")] = None,
    none: Annotated[bool, typer.Option("--none", help="It was none of them: nothing of it was executed.")] = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Say what became of an order that could be several things, or that may have been executed once more."""
    if sum((bool(fill), venue_order is not None, none)) != 1:
        raise Failure("say one thing: --fill, --venue-order or --none", ExitCode.USAGE, code="USAGE")
    body = {"none": True} if none else {"fill_ids": fill} if fill else {"venue_order_id": venue_order}
    with platform(home, url) as there:
        settled_as = there.post(f"/floor/reconciliation/{named.order(order)}/resolve", body, key=str(uuid4()))
    if json:
        show.as_json(settled_as)
        return
    filled = settled(settled_as["filled_quantity"])
    said = f" ({settled_as['message']})" if settled_as["message"] else ""
    show.line(f"{settled_as['client_order_id']} is {settled_as['status']}: {filled} filled{said}")


@reconcile.command()
def accept(
    deployment: Annotated[str, typer.Argument(help="A deployment that trades the account, by id or name.")],
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Make our books the venue's: what we claim and it has not is taken out of them, and the account opens. While the
    venue has not shown yet what it holds, the account is shown as it was: `omc reconcile` tells when it is done."""
    with platform(home, url) as there:
        body, key = {"deployment_id": named.deployment(there, deployment)}, str(uuid4())
        row = with_code(lambda proof: there.post("/floor/reconciliation/accept", body, key=key, code=proof), code)
    show.as_json(row) if json else _shown(row)


def _shown(row: dict[str, Any]) -> None:
    age = "never compared" if row["age_s"] is None else f"{row['age_s']:.0f} s ago"
    state = f"closed: {row['closed']}" if row["closed"] else "open"
    show.line(f"{row['deployment_name']}: {age}, account {state}")
    if row["error"]:
        show.line(f"  could not be compared: {row['error']}")
    if row["age_s"] is None:
        return
    coins = sorted({*row["ours"], *row["venue"], *row["external"]})
    held = [[settled(row[side].get(coin, "0.00000000")) for side in ("ours", "external", "venue")] for coin in coins]
    show.table("", ("", "ours", "not ours", "venue"), [[coin, *each] for coin, each in zip(coins, held, strict=True)])
    for difference in row["differences"]:
        show.line(f"  differs: {difference}")
    for text in row["told"]:
        show.line(f"  {text}")
    for order in row["held"]:
        _waits(order)


def _waits(order: dict[str, Any]) -> None:
    quantity = settled(order["quantity"])
    show.line(f"  waits for you: {order['side']} {quantity} {order['coin']}, order {order['order_id']}, could be")
    rows = [row for each in order["candidates"] for row in _rows(each)]
    show.table("", ("venue order", "fill", "quantity", "AUD", "executed"), rows)


def _rows(candidate: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """What is listed of one thing at the venue: its fills, and what still works of it."""
    name = candidate["venue_order_id"] or ""
    rows = [
        (name, fill["fill_id"], settled(fill["quantity"]), settled(fill["total_aud"]), fill["executed_at"])
        for fill in candidate["fills"]
    ]
    if float(candidate["open_quantity"]):
        rows.append((name, "still open", settled(candidate["open_quantity"]), "", ""))
    return rows
