"""Catalysts as lines of JSON, one event each, as a person or a feed writes them down."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from omc.errors import InvalidInput
from omc.ledger.catalyst import Catalyst

_NEEDED = frozenset({"type", "title", "source", "source_id", "event_time"})
_KNOWN = _NEEDED | {"seen_time", "coins", "priority", "url", "revision"}


def parse(lines: Iterable[str], now: datetime) -> list[Catalyst]:
    """Empty lines mean nothing. An event without `seen_time` became known `now`. InvalidInput, with the line's number,
    for the first that is none, one that would have been known later than now, and one that is told twice."""
    found: dict[tuple[str, str, int], Catalyst] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = _one(line, now)
        except InvalidInput as fault:
            raise InvalidInput(f"line {number}: {fault}") from None
        if event.name in found:
            said = f"{event.source} tells {event.source_id}, revision {event.revision}, twice"
            raise InvalidInput(f"line {number}: {said}")
        found[event.name] = event
    return list(found.values())


def _one(line: str, now: datetime) -> Catalyst:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidInput("it is not JSON") from None
    if not isinstance(told, dict):
        raise InvalidInput("it is not a JSON object")
    if missing := sorted(_NEEDED - told.keys()):
        raise InvalidInput(f"it lacks {', '.join(missing)}")
    if unknown := sorted(told.keys() - _KNOWN):
        raise InvalidInput(f"nobody knows what {', '.join(unknown)[:200]} is")
    event = Catalyst(
        type=_text(told, "type"),
        title=_text(told, "title"),
        coins=_coins(told.get("coins", [])),
        source=_text(told, "source"),
        source_id=_text(told, "source_id"),
        event_time=_instant(told, "event_time"),
        seen_time=_instant(told, "seen_time") if "seen_time" in told else now,
        priority=_text(told, "priority") if "priority" in told else "normal",
        url=None if told.get("url") is None else _text(told, "url"),
        revision=_whole(told.get("revision", 0)),
    )
    if event.seen_time > now:
        raise InvalidInput(f"nobody can have known on {now.isoformat()} what is seen on {event.seen_time.isoformat()}")
    return event


def _text(told: dict[str, Any], name: str) -> str:
    value = told[name]
    if not isinstance(value, str):
        raise InvalidInput(f"its {name} is no text")
    return value


def _coins(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(coin, str) for coin in value):
        raise InvalidInput("its coins are no list of tickers")
    return tuple(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise InvalidInput("its revision is no whole number from 0")
    return value


def _instant(told: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromisoformat(_text(told, name))
    except ValueError:
        raise InvalidInput(f"its {name} is no time such as 2025-01-31T09:30:00Z") from None
