"""Prices to look at and to take away."""

from pathlib import Path
from typing import Annotated, Any

import typer

from omc.cli import show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform, settled
from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform

commands = typer.Typer()
data = typer.Typer(help="Prices, coins and what can be measured of them.", no_args_is_help=True)
commands.add_typer(data, name="data")

_MOST = 1_000

Coin = Annotated[str, typer.Argument(metavar="COIN", help="A ticker, such as BTC.")]
Interval = Annotated[str, typer.Option(help="5m, 15m, 1h, 4h or 1d.")]


@data.command()
def prices(
    coin: Coin,
    start: Annotated[str | None, typer.Option(help="A day or a time; 200 bars before the end by default.")] = None,
    end: Annotated[str | None, typer.Option(help="A day or a time; the newest price by default.")] = None,
    interval: Interval = "5m",
    csv: Annotated[Path | None, typer.Option(help="A CSV file to write instead.")] = None,
    arrow: Annotated[Path | None, typer.Option(help="An Arrow IPC stream to write instead.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Stored quotes of a coin every five minutes, or candles made of them; gaps are marked."""
    if csv is not None and arrow is not None:
        raise Failure("write --csv or --arrow, one at a time", ExitCode.USAGE, code="USAGE")
    query: dict[str, Any] = {"coin": coin, "start": start, "end": end, "interval": interval}
    file = csv or arrow
    with platform(home, url) as there:
        if file is not None:
            written = _save(there, file, {**query, "format": "csv" if csv else "arrow"})
            show.as_json(written) if json else show.line(f"{written['bytes']} bytes are in {file}")
            return
        rows = list(there.everything("/data/prices", limit=None if json else _MOST, **query))
    if json:
        show.as_json(rows)
        return
    shown = [name for name in (rows[0] if rows else {}) if name != "coin"]
    show.table(coin.upper(), shown, [[settled(row[name]) for name in shown] for row in rows])
    if len(rows) == _MOST:
        show.line("there may be more: --csv FILE or --arrow FILE takes all of them")


@data.command()
def latest(
    coin: Annotated[str | None, typer.Option(help="One coin only.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """The newest quotes, and how old they are."""
    _list("/data/prices/latest", ("coin", "timestamp", "bid", "ask", "last", "age_s"), home, url, json, coin=coin)


@data.command()
def coins(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Coins whose prices are stored, from when to when, and the newest price."""
    _list("/data/coins", ("coin", "first", "last", "bars", "price"), home, url, json)


@data.command()
def metrics(
    coin: Coin,
    interval: Interval = "1h",
    window: Annotated[int | None, typer.Option(help="How many returns volatility and correlation are made of.")] = None,
    beside: Annotated[str | None, typer.Option("--with", help="The coin to correlate with; BTC by default.")] = None,
    at: Annotated[str | None, typer.Option(help="As it was known at that time; now by default.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Returns, volatility, spread, moving averages and correlation of a coin."""
    if not coin.isalnum():
        raise Failure(f"{coin!r} is not a ticker", ExitCode.USAGE, code="USAGE")
    with platform(home, url) as there:
        found = there.get(f"/data/metrics/{coin}", interval=interval, window=window, at=at, **{"with": beside})
    if json:
        show.as_json(found)
        return
    facts: dict[str, object] = {name: settled(found[name]) for name in ("at", "last", "volatility", "spread_bps")}
    facts |= {f"return over {span}": value for span, value in found["returns"].items()}
    facts |= {f"mean of {each['bars']} × {interval}": settled(each["mean"]) for each in found["averages"]}
    if found["correlated_with"]:
        facts[f"correlation with {found['correlated_with']}"] = found["correlation"]
    show.facts(f"{found['coin']}, {found['window']} × {interval}", facts)


def _list(path: str, columns: tuple[str, ...], home: Path, url: str | None, json: bool, **query: Any) -> None:
    with platform(home, url) as there:
        rows = list(there.everything(path, **query))
    if json:
        show.as_json(rows)
    else:
        show.table("", columns, [[settled(row[name]) for name in columns] for row in rows])


def _save(there: Platform, file: Path, query: dict[str, Any]) -> dict[str, Any]:
    try:
        with there.patiently("fetching prices"):
            return {"file": str(file), "bytes": there.save("/data/prices", file, **query)}
    except OSError as fault:
        raise Failure(f"{file} cannot be written: {fault.strerror}") from None
