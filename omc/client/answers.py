"""The shapes that every generated model and method is made of."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

T = TypeVar("T")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Model(BaseModel):
    """What an answer or a body holds. A field that a newer platform adds is left alone."""

    model_config = ConfigDict(frozen=True, protected_namespaces=(), populate_by_name=True)


class Page(Model, Generic[T]):
    """Some of many. Pages count from 1."""

    items: list[T]
    total: int
    page: int
    per_page: int
    pages: int


Amount = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:f}", return_type=str)]
"""Money or a quantity: exact, and never written with an exponent."""


def _bound(value: Any) -> Any:
    """The text of a day as that day: it would be read as the moment at which the day begins, and end a window there."""
    return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else value


Bound = Annotated[datetime | date, BeforeValidator(_bound)]
"""Where a window begins or ends: a moment, or a day, which lies in it whole."""
