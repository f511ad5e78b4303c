"""When an algorithm is asked, in words; and the events that it may be asked for."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from omc.cli import start
from omc.cli.options import DEFAULT_HOME, Home, Json, absolute, command_line
from omc.cli.outcome import ExitCode, Failure

commands = typer.Typer()

WORDS = (
    '"every 3600", "at 09:30 Australia/Sydney", "BTC up 100000" (or down, across), "BTC down 2% of 48" '
    '(bars\' mean), "event listing BTC high" (any part but the first may be left out), or JSON'
)
When = Annotated[
    list[str] | None,
    typer.Option("--when", help=f"Ask the algorithm only then; as often as needed: {WORDS}."),
]
_PRIORITIES = ("low", "normal", "high", "critical")
_PRICE = re.compile(r"(?P<coin>\w+) (?P<way>up|down|across) (?P<level>[\d.]+)(?P<mean>% of (?P<bars>\d+))?")


def triggers(when: Sequence[str] | None) -> list[dict[str, Any]] | None:
    """As the HTTP API takes them; None when nobody asked for any."""
    return [_one(text) for text in when] if when else None


def _one(text: str) -> dict[str, Any]:
    words = text.split()
    if text.lstrip().startswith("{"):
        return _object(text)
    match words:
        case ["every", seconds] if seconds.isdigit():
            return {"on": "schedule", "every_s": int(seconds)}
        case ["at", time, *zone] if len(zone) < 2:
            return {"on": "schedule", "at": time, **({"zone": zone[0]} if zone else {})}
        case ["event", *rest] if len(rest) < 4:
            return _event(rest)
    found = _PRICE.fullmatch(" ".join(words))
    if found is None or found["level"].count(".") > 1 or found["level"] == ".":
        raise Failure(f"{text!r} is none of {WORDS}", ExitCode.USAGE, code="USAGE")
    direction = {"across": "either"}.get(found["way"], found["way"])
    price = {"on": "price", "coin": found["coin"].upper(), "direction": direction}
    if found["mean"]:
        return price | {"percent": float(found["level"]), "mean_bars": int(found["bars"])}
    return price | {"level_aud": float(found["level"])}


def _event(words: Sequence[str]) -> dict[str, Any]:
    """A type is in small letters, a coin in capitals."""
    told: dict[str, Any] = {"on": "catalyst"}
    for word in words:
        name = "priority" if word in _PRIORITIES else "coin" if word.isupper() else "type"
        if name in told:
            raise Failure(f"an event has one {name}: {' '.join(words)!r}", ExitCode.USAGE, code="USAGE")
        told[name] = word
    return told


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Failure(f"{text!r} is not a JSON object", ExitCode.USAGE, code="USAGE")
    return told


@commands.command()
def import_catalysts(
    files: Annotated[list[Path], typer.Argument(help="Events, one JSON object a line.")],
    home: Home = DEFAULT_HOME,
    json: Json = False,
) -> None:
    """Bring events into the platform's catalyst ledger, which triggers look at."""
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise Failure(f"no such file: {', '.join(missing)}", ExitCode.USAGE, code="USAGE")
    arguments = command_line(home=absolute(home), json=json)
    start.become("cluster.catalysts", [*arguments, "--", *(str(absolute(file)) for file in files)])
