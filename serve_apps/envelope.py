"""The shapes of success: one thing, or a page of many."""

from collections.abc import Sequence
from typing import Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Success(BaseModel, Generic[T]):
    """One thing."""

    status: Literal["success"] = "success"
    data: T
    message: str | None = None


class Paging(BaseModel):
    """Which page of a list. Pages count from 1."""

    model_config = ConfigDict(extra="forbid")

    page: int = Field(1, ge=1, le=10_000_000)
    per_page: int = Field(20, ge=1, le=200)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


class Page(BaseModel, Generic[T]):
    """Some of many. `pages` is 0 when there is nothing."""

    items: list[T]
    total: int
    page: int
    per_page: int
    pages: int

    @classmethod
    def of(cls, items: Sequence[T], total: int, paging: Paging) -> Self:
        """The page that a store cut out."""
        return cls(
            items=list(items),
            total=total,
            page=paging.page,
            per_page=paging.per_page,
            pages=-(-total // paging.per_page),
        )

    @classmethod
    def cut(cls, everything: Sequence[T], paging: Paging) -> Self:
        """A page of what is in memory already."""
        return cls.of(everything[paging.offset : paging.offset + paging.per_page], len(everything), paging)
