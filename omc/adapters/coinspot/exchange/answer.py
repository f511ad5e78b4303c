"""What goes back over the wire: a status, and JSON in which every decimal stands exactly as it is."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from omc.errors import OmcError


class Refusal(OmcError):
    """A no with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes
    media_type: bytes = b"application/json; charset=utf-8"
    retry_after_s: int = 60
    """What goes with a 429."""


NOT_FOUND = Answer(404, b"Not Found", b"text/html; charset=utf-8")
"""What CoinSpot says to a path that it does not have: nothing that is JSON."""


def answered(value: Any, status: int = 200, *, retry_after_s: int = 60) -> Answer:
    return Answer(status, orjson.dumps(value, default=_number), retry_after_s=retry_after_s)


def refused(status: int, message: str) -> Answer:
    return answered({"status": "error", "message": message}, status)


def ok(**fields: Any) -> dict[str, Any]:
    return {"status": "ok", "message": "ok", **fields}


def plain(value: Decimal) -> str:
    """All the digits and no more: never an exponent, no zeros at the end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(plain(value))
    raise TypeError(f"{type(value).__name__} has no place on this wire")
