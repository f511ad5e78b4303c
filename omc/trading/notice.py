"""What a trader must hear of before it goes on: others have done something to what it trades, or wish something of it.

A trader goes on from what it remembers; a notice makes it sit down again, and find the books as they are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from omc.errors import Conflict

_Value = TypeVar("_Value")


class NoticeKind(StrEnum):
    OUT = "out"
    """Its coins are sold by the house, and stay out until the algorithm lets go of them."""
    IN = "in"
    """Coins that were kept out may be bought again."""
    MOVED = "moved"
    """The books, or the parameters, are not what they were."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Notices of a deployment are numbered from 1."""

    deployment_id: UUID
    number: int
    kind: NoticeKind
    coins: tuple[str, ...]
    key: str | None = None
    """The idempotency key that it was asked for with."""
    done: bool = True
    """False while the house is selling."""

    def told(self) -> dict[str, object]:
        """As the journal has it."""
        return {"action": self.kind.value, "coins": list(self.coins), "number": self.number}


JOURNALED = {NoticeKind.OUT: "forced_exit", NoticeKind.IN: "lifted"}
"""Kinds of journal entries; that something has moved is told by what moved it."""


def same(known: Notice, kind: NoticeKind, coins: Sequence[str]) -> Notice:
    """What a key that comes again stands for; Conflict when that was something else."""
    if known.kind is not kind or set(known.coins) != set(coins):
        raise Conflict("this Idempotency-Key belongs to another request")
    return known


def named_out(coins: Sequence[str], notices: Iterable[Notice]) -> dict[int, bool]:
    """Whether each coin that notices name is out after all of them, by column."""
    out: dict[int, bool] = {}
    for notice in notices:
        if notice.kind is not NoticeKind.MOVED:
            out |= {at: notice.kind is NoticeKind.OUT for at, coin in enumerate(coins) if coin in notice.coins}
    return out


def changed(
    values: tuple[_Value, ...] | None, columns: Iterable[int], to: Callable[[int], _Value]
) -> tuple[_Value, ...] | None:
    """`values` with other ones in some columns; nothing where there is nothing."""
    if values is None:
        return None
    each = dict(enumerate(values)) | {at: to(at) for at in columns}
    return tuple(each[at] for at in range(len(values)))
