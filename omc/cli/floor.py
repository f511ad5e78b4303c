"""The floor: deploy, pause, stop, and what came of it."""

import sys
from typing import Annotated, Any
from uuid import uuid4

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, coins_of, platform, settled
from omc.cli.platform import Platform
from omc.cli.second_factor import Code, with_code
from omc.cli.triggers import When, triggers
from omc.cli.window import Model, given

commands = typer.Typer()

Deployment = Annotated[str, typer.Argument(help="The deployment's id or name.")]
Confirm = Annotated[
    str | None,
    typer.Option(help='For live: "trade NAME with real money", typed to the letter. Asked for when not given.'),
]
Only = Annotated[str | None, typer.Option("--deployment", help="Only this one, by id or name.")]


@commands.command()
def deploy(
    algorithm: Annotated[str, typer.Argument(help="The algorithm's id or name.")],
    name: Annotated[str, typer.Option(help="What to call the deployment.")],
    coins: Annotated[str, typer.Option(help="Tickers between commas, in the order in which they are traded.")],
    cash: Annotated[str, typer.Option(help="Dollars that it may use.")] = "10000",
    mode: Annotated[str, typer.Option(help="paper or live.")] = "paper",
    order_limit: Annotated[str | None, typer.Option(help="The largest order in dollars.")] = None,
    position_limit: Annotated[str | None, typer.Option(help="The largest holding of one coin in dollars.")] = None,
    daily_loss: Annotated[str | None, typer.Option(help="The loss in dollars that ends buying for the day.")] = None,
    model: Model = None,
    when: When = None,
    confirm: Confirm = None,
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Put an algorithm to work on the floor."""
    limits = {
        "order_notional_aud": order_limit,
        "position_notional_aud": position_limit,
        "daily_loss_aud": daily_loss,
    }
    body = {
        "deployment_name": name,
        "coins": coins_of(coins),
        "cash": cash,
        "mode": mode,
        "risk_limits": {key: value for key, value in limits.items() if value is not None},
        **given(model_id=model, triggers=triggers(when)),
        **given(confirmation=_confirmed(name, confirm) if mode == "live" else confirm),
    }
    with platform(home, url) as there:
        wanted = {"algorithm_id": named.algorithm(there, algorithm), **body}
        key = str(uuid4())
        made = with_code(lambda proof: there.post("/floor/deploy", wanted, key=key, code=proof), code)
        show.as_json(made) if json else show.line(f"{made['deployment_name']} is {made['status']}: {made['id']}")


def _confirmed(name: str, typed: str | None) -> str | None:
    """What was typed; asked for at the terminal, where there is one."""
    if typed is not None or not sys.stdin.isatty():
        return typed
    asked: str = typer.prompt(f'type "trade {name} with real money" to confirm', err=True)
    return asked


def _turn(verb: str, deployment: str, there: Platform, json: bool, code: str | None = None, **body: str | None) -> None:
    path, key = f"/floor/algorithms/{named.deployment(there, deployment)}/{verb}", str(uuid4())
    turned = with_code(lambda proof: there.post(path, given(**body), key=key, code=proof), code)
    show.as_json(turned) if json else show.line(f"{turned['deployment_name']} is {turned['status']}")


@commands.command()
def activate(
    deployment: Deployment,
    confirm: Confirm = None,
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Let a paused deployment trade again."""
    with platform(home, url) as there:
        if confirm is None and sys.stdin.isatty():
            found = there.get(f"/floor/deployments/{named.deployment(there, deployment)}")
            if found["mode"] == "live":
                confirm = _confirmed(found["deployment_name"], None)
        _turn("activate", deployment, there, json, code, confirmation=confirm)


@commands.command()
def pause(deployment: Deployment, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Let a deployment rest; what it holds, it keeps."""
    with platform(home, url) as there:
        _turn("pause", deployment, there, json)


@commands.command()
def deactivate(deployment: Deployment, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """End a deployment for good."""
    with platform(home, url) as there:
        _turn("deactivate", deployment, there, json)


@commands.command()
def trades(
    deployment: Only = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What was bought and sold."""
    with platform(home, url) as there:
        which = f"/algorithms/{named.deployment(there, deployment)}" if deployment else ""
        rows = list(there.everything(f"/floor{which}/trades", limit=limit))
        if json:
            show.as_json(rows)
            return
        columns = ("executed_at", "side", "coin", "quantity", "price_aud", "total_aud", "fee_aud")
        show.table("trades", columns, [[settled(row[name]) for name in columns] for row in rows])


@commands.command()
def pnl(deployment: Only = None, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """What was earned, in all and by coin."""
    with platform(home, url) as there:
        which = named.deployment(there, deployment) if deployment else None
        whole: dict[str, Any] = there.get("/floor/pnl/summary", deployment_id=which)
        coins = list(there.everything("/floor/pnl/by-coin", deployment_id=which))
        if json:
            show.as_json({"summary": whole, "by_coin": coins})
            return
        show.facts("", {name: settled(value) for name, value in whole.items()})
        columns = ("coin", "trades", "realized_pnl_aud", "unrealized_pnl_aud", "fees_aud", "net_pnl_aud")
        show.table("by coin", columns, [[settled(row[name]) for name in columns] for row in coins])
