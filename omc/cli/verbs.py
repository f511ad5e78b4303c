"""What people ask a trading bot, in freqtrade's words."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import uuid4

import typer

from omc.cli import named, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform, settled
from omc.cli.platform import Platform
from omc.cli.second_factor import Code, with_code
from omc.cli.window import given

commands = typer.Typer()

Only = Annotated[str | None, typer.Option("--deployment", help="Only this one, by id or name.")]
Mode = Annotated[str | None, typer.Option(help="Only deployments that are paper, or live.")]
Count = Annotated[int, typer.Option("--count", min=1, max=1000, help="How many, the newest first.")]


@commands.command()
def open_trades(
    deployment: Only = None, mode: Mode = None, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False
) -> None:
    """What is held now, and what it has earned so far: freqtrade's `status`."""
    with platform(home, url) as there:
        rows = list(there.everything("/floor/status", **_whose(there, deployment, mode)))
    if json:
        show.as_json(rows)
        return
    cells = [
        (
            row["deployment_name"],
            row["coin"],
            settled(row["quantity"]),
            settled(row["average_price_aud"]),
            settled(row["current_price_aud"]),
            _cents(row["profit_aud"]),
            _percent(row["profit_ratio"]),
            _time(row["age_s"]),
            _percent(row["stop_distance"]),
        )
        for row in rows
    ]
    columns = ("deployment", "coin", "quantity", "average", "now", "profit A$", "profit %", "age", "to stop %")
    show.table("open trades", columns, cells)


@commands.command()
def profit(
    deployment: Only = None, mode: Mode = None, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False
) -> None:
    """What all trades have earned."""
    with platform(home, url) as there:
        told: dict[str, Any] = there.get("/floor/profit", **_whose(there, deployment, mode))
    if json:
        show.as_json(told)
        return
    won, lost = told["winning_trades"], told["losing_trades"]
    best = "–" if told["best_coin"] is None else f"{told['best_coin']} {_percent(told['best_coin_profit_ratio'])} %"
    show.facts(
        "profit",
        {
            "closed trades": _amount(told["profit_closed_aud"], told["profit_closed_ratio"]),
            "all trades": _amount(told["profit_all_aud"], told["profit_all_ratio"]),
            "trades, closed": f"{told['trade_count']}, {told['closed_trade_count']}",
            "won, lost": f"{won}, {lost} ({_percent(told['winrate'])} % won)",
            "profit factor": told["profit_factor"],
            "expectancy": f"A${_cents(told['expectancy_aud'])}",
            "best coin": best,
            "largest drawdown": _amount(told["max_drawdown_aud"], told["max_drawdown"]),
            "traded": f"A${_cents(told['trading_volume_aud'])}",
            "first trade": told["first_trade_at"],
            "latest trade": told["latest_trade_at"],
            "average duration": _time(told["avg_duration_s"]),
        },
    )


@commands.command()
def performance(
    deployment: Only = None, mode: Mode = None, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False
) -> None:
    """What closed trades have earned, coin by coin."""
    with platform(home, url) as there:
        rows = list(there.everything("/floor/performance", **_whose(there, deployment, mode)))
    if json:
        show.as_json(rows)
        return
    cells = [
        (row["coin"], _cents(row["profit_aud"]), _percent(row["profit_ratio"]), row["trade_count"]) for row in rows
    ]
    show.table("performance", ("coin", "profit A$", "profit %", "trades"), cells)


@commands.command()
def daily(
    count: Count = 7,
    deployment: Only = None,
    mode: Mode = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What trades closed on each day have earned."""
    with platform(home, url) as there:
        _periods(there, "daily", count, _whose(there, deployment, mode), json=json)


@commands.command()
def weekly(
    count: Count = 8,
    deployment: Only = None,
    mode: Mode = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What trades closed in each week have earned."""
    with platform(home, url) as there:
        _periods(there, "weekly", count, _whose(there, deployment, mode), json=json)


@commands.command()
def monthly(
    count: Count = 6,
    deployment: Only = None,
    mode: Mode = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """What trades closed in each month have earned."""
    with platform(home, url) as there:
        _periods(there, "monthly", count, _whose(there, deployment, mode), json=json)


@commands.command()
def forceexit(
    deployment: Annotated[str, typer.Argument(help="The deployment's id or name.")],
    coin: Annotated[str, typer.Argument(help="The coin to sell, or all.")],
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Sell at once what a deployment holds; it goes on, and buys none of it until its algorithm has let go."""
    with platform(home, url) as there, there.patiently("selling"):
        which = {"all": True} if coin.lower() == "all" else {"coin": coin.upper()}
        body = {"deployment_id": named.deployment(there, deployment), **which}
        told = there.post("/floor/forceexit", body, key=str(uuid4()))
    if json:
        show.as_json(told)
        return
    for order in told["sold"]:
        show.line(f"sold {settled(order['filled_quantity'])} {order['coin']} for A${_cents(order['total_aud'])}")
    for problem in told["problems"]:
        show.line(f"  could not be done: {problem}")
    if not told["sold"] and not told["problems"]:
        show.line("there was nothing to sell")


@commands.command()
def stopentry(
    deployment: Only = None,
    reason: Annotated[str | None, typer.Option(help="Why: it is on record.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Buy nothing more; sales and exits go on. `omc unlock` lifts it."""
    with platform(home, url) as there:
        which = named.deployment(there, deployment) if deployment else None
        told = there.post("/floor/stopentry", given(deployment_id=which, reason=reason))
    if json:
        show.as_json(told)
        return
    show.line(f"nothing is added any more ({told['scope']}): {told['reason']}")
    for problem in told["problems"]:
        show.line(f"  could not be done: {problem}")


@commands.command()
def locks(deployment: Only = None, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """What keeps something from being traded just now."""
    with platform(home, url) as there:
        which = named.deployment(there, deployment) if deployment else None
        rows = list(there.everything("/floor/locks", **given(deployment_id=which)))
    if json:
        show.as_json(rows)
        return
    if not rows:
        show.line("nothing is locked")
        return
    columns = ("id", "stops", "coin", "until", "reason")
    show.table("locks", columns, [[row[name] for name in columns] for row in rows])


@commands.command()
def unlock(
    lock: Annotated[str, typer.Argument(help="A lock's id, as `omc locks` lists it.")],
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
) -> None:
    """Lift a halt of your own, or let a coin be bought again that is kept out."""
    with platform(home, url) as there:
        path = f"/floor/locks/{named.lock(lock)}"
        with_code(lambda proof: there.delete(path, code=proof), code)
        show.line(f"{lock} is lifted")


def _whose(there: Platform, deployment: str | None, mode: str | None) -> dict[str, Any]:
    return given(deployment_id=named.deployment(there, deployment) if deployment else None, mode=mode)


def _periods(there: Platform, what: str, count: int, whose: dict[str, Any], *, json: bool) -> None:
    rows = there.get(f"/floor/{what}", timescale=count, **whose)
    if json:
        show.as_json(rows)
        return
    cells = [
        (
            row["date"],
            _cents(row["profit_aud"]),
            _percent(row["profit_ratio"]),
            row["trade_count"],
            _cents(row["starting_balance_aud"]),
        )
        for row in rows
    ]
    show.table(what, ("from", "profit A$", "profit %", "trades", "balance before A$"), cells)


def _cents(amount: str | None) -> str | None:
    return None if amount is None else f"{Decimal(amount):,.2f}"


def _percent(ratio: float | None) -> str | None:
    return None if ratio is None else f"{ratio * 100:.2f}"


def _amount(amount: str, ratio: float | None) -> str:
    return f"A${_cents(amount)} ({_percent(ratio) or '–'} %)"


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else str(timedelta(seconds=round(seconds)))
