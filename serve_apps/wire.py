"""How values are written in JSON, and what is taken for one.

Money and quantities are strings with eight decimals, times end in Z, metrics are finite or null. Nothing is guessed: a
JSON float is no amount of money, and a time without a zone names no instant.
"""

import math
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from omc.errors import InvalidInput
from omc.market.coin import ticker
from omc.market.money import eight_places

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# Storage and arrays hold these years whatever is done to them.
_EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
# Those that terminals obey, and those that turn around what is written after them. Texts may have lines and tabs.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAK = re.compile("[\t\n\r\u2028\u2029]")
_WHOLE = 2**53
_LARGEST = 1e15
MOST_COINS = 100


class Body(BaseModel):
    """What a request may carry; a field that is not known is refused, because a typing error must not trade."""

    model_config = ConfigDict(extra="forbid")


def money_text(amount: Decimal) -> str:
    """Eight decimals, never an exponent."""
    return f"{eight_places(amount):f}"


def time_text(instant: datetime) -> str:
    """RFC 3339 in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _amount(value: Any) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**12 else ""
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise ValueError('must be a string such as "100.50": digits, and at most 8 decimals')
    return Decimal(value)


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("must be more than 0")
    return value


def _whole_cents(value: Decimal) -> Decimal:
    if value * 100 % 1:
        raise ValueError("must be in whole cents: at most 2 decimals")
    return value


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("must be a time with its zone, such as 2025-06-01T00:00:00Z")
    return _in_reach(datetime.fromisoformat(value.upper()))


def _in_reach(instant: datetime) -> datetime:
    if not _EARLIEST <= instant < LATEST:
        raise ValueError("must lie between the years 2000 and 2099")
    return instant.astimezone(UTC)


def _opening(value: Any) -> datetime:
    if isinstance(value, str) and _DAY.fullmatch(value):
        return _in_reach(datetime.combine(date.fromisoformat(value), time(), UTC))
    return _instant(value)


def _closing(value: Any) -> datetime:
    opening = _opening(value)
    whole_day = timedelta(days=1, microseconds=-1)
    return opening + whole_day if isinstance(value, str) and _DAY.fullmatch(value) else opening


def _ticker(text: str) -> str:
    try:
        return ticker(text)
    except InvalidInput as fault:
        raise ValueError(str(fault)) from None


def _unique(coins: list[str]) -> list[str]:
    twice = sorted({coin for coin in coins if coins.count(coin) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is named twice")
    return coins


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not hold control characters")
    return text


def _on_one_line(text: str) -> str:
    if _BREAK.search(text):
        raise ValueError("must be one line")
    return text


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _one_value(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """One sentence, where each kind that it could have been would say its own."""
    try:
        return handler(value)
    except ValidationError:
        raise ValueError(
            "must be true, false, a finite number of at most 15 digits or a text of at most 200 characters"
        ) from None


_MONEY_SCHEMA = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{8}$", "examples": ["0.00012300"]}
_AMOUNT_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,8})?$"},
        {"type": "integer", "minimum": 0, "exclusiveMaximum": 10**12},
    ],
    "examples": ["1000.00"],
}
_TIME_SCHEMA = {"type": "string", "format": "date-time", "examples": ["2025-06-01T00:00:00Z"]}
_BOUND_SCHEMA = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
    "examples": ["2025-06-01", "2025-06-01T00:00:00Z"],
}

# Going out.
Money = Annotated[Decimal, PlainSerializer(money_text, return_type=str), WithJsonSchema(_MONEY_SCHEMA)]
Time = Annotated[datetime, PlainSerializer(time_text, return_type=str), WithJsonSchema(_TIME_SCHEMA)]
Metric = Annotated[float | None, BeforeValidator(_finite)]

# Coming in.
Amount = Annotated[Decimal, BeforeValidator(_amount), AfterValidator(_positive), WithJsonSchema(_AMOUNT_SCHEMA)]
"""A positive amount of AUD."""
Cash = Annotated[Amount, AfterValidator(_whole_cents)]
"""A positive amount of AUD that can be paid: whole cents."""
Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema(_TIME_SCHEMA)]
Opening = Annotated[datetime, BeforeValidator(_opening), WithJsonSchema(_BOUND_SCHEMA)]
"""A time, or a day: its first moment."""
Closing = Annotated[datetime, BeforeValidator(_closing), WithJsonSchema(_BOUND_SCHEMA)]
"""A time, or a day: its last moment."""
Ticker = Annotated[str, AfterValidator(_ticker), WithJsonSchema({"type": "string", "examples": ["BTC"]})]
Coins = Annotated[list[Ticker], Field(min_length=1, max_length=MOST_COINS), AfterValidator(_unique)]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=255),
    AfterValidator(_printable),
    AfterValidator(_on_one_line),
]
"""A name of one thing."""
Text = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_printable)]
Whole = Annotated[int, Field(strict=True, ge=-_WHOLE, le=_WHOLE)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-_LARGEST, le=_LARGEST)]
Scalar = Annotated[
    Annotated[bool, Field(strict=True)]
    | Whole
    | Finite
    | Annotated[str, StringConstraints(max_length=200), AfterValidator(_printable)],
    WrapValidator(_one_value),
]
"""One value of an algorithm's parameter."""
ParameterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Parameters = Annotated[dict[ParameterName, Scalar], Field(max_length=50)]
