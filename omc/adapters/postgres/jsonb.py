"""Values as jsonb: floats come back as the same floats, decimals and times as text, and nothing that JSON has not."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from omc.errors import InvalidInput


def text(value: Any) -> str:
    """`value` as JSON text. InvalidInput when a number in it is not finite, or it holds what JSON cannot."""
    try:
        return json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise InvalidInput("a number is not finite: it cannot be stored") from error
    except TypeError as error:
        raise InvalidInput(f"a value cannot be stored: {error}") from error


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case Mapping():
            return dict(value)
        case set() | frozenset():
            return sorted(value)
    if hasattr(value, "item"):
        return value.item()  # a numpy scalar
    raise TypeError(f"{type(value).__name__} has no JSON form")
