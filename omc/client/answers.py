"""The shapes that every generated model and method is made of."""

from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer

T = TypeVar("T")


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
