"""What deployments earned: realized, unrealized and fees, by deployment, coin and day.

Law: over everything, realized + unrealized - fees = equity - deposited, whichever way it is cut, by either method.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, Self, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from omc.market.money import ZERO
from omc.portfolio.counted import Owned, in_order
from omc.portfolio.lots import Lots
from omc.portfolio.position import Position
from omc.trading.fill import Fill

Key = TypeVar("Key", bound=Hashable)
UTC = ZoneInfo("UTC")


class Method(StrEnum):
    """Which of the coins held are sold."""

    AVERAGE = "average"
    """Some of all of them, at what they cost on average."""
    FIFO = "fifo"
    """Those that were bought first."""


@dataclass(frozen=True, slots=True)
class ProfitAndLoss:
    """Amounts in AUD. `realized_aud` and `unrealized_aud` are before fees."""

    realized_aud: Decimal = ZERO
    unrealized_aud: Decimal = ZERO
    fees_aud: Decimal = ZERO
    fills: int = 0

    @property
    def net_aud(self) -> Decimal:
        return self.realized_aud + self.unrealized_aud - self.fees_aud

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.realized_aud + other.realized_aud,
            self.unrealized_aud + other.unrealized_aud,
            self.fees_aud + other.fees_aud,
            self.fills + other.fills,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """What one coin of one deployment earned on one day. The line without a day is what is held now."""

    deployment_id: UUID
    coin: str
    day: date | None
    earned: ProfitAndLoss


class _Book(Protocol):
    """One coin of one deployment."""

    @property
    def quantity(self) -> Decimal: ...

    @property
    def cost_aud(self) -> Decimal: ...

    def realize(self, fill: Fill) -> Decimal: ...


class _Average:
    """A position that is replaced by each fill."""

    def __init__(self, coin: str) -> None:
        self._position = Position(coin)

    @property
    def quantity(self) -> Decimal:
        return self._position.quantity

    @property
    def cost_aud(self) -> Decimal:
        return self._position.cost_aud

    def realize(self, fill: Fill) -> Decimal:
        before, self._position = self._position, self._position.apply(fill, fill.price_aud)
        return self._position.realized_aud - before.realized_aud


_BOOKS: Mapping[Method, Callable[[str], _Book]] = {Method.AVERAGE: _Average, Method.FIFO: Lots}


def lines(
    fills: Iterable[Owned],
    marks_aud: Mapping[str, Decimal],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    method: Method = Method.AVERAGE,
    zone: ZoneInfo = UTC,
) -> list[Line]:
    """The P&L of fills, each with its deployment: read in any order, and counted once though they come twice.

    What was sold had its cost before, so every fill there ever was is needed; `start` and `end` (exclusive) choose
    which ones' earnings are told. Marks are bids; a coin without one is valued at its cost, and so earns nothing yet.
    Days are those of `zone`.
    """
    books: dict[tuple[UUID, str], _Book] = {}
    days: dict[tuple[UUID, str, date], ProfitAndLoss] = {}
    for deployment_id, fill in in_order(fills):
        book = books.setdefault((deployment_id, fill.coin), _BOOKS[method](fill.coin))
        realized = book.realize(fill)
        if (start is None or fill.executed_at >= start) and (end is None or fill.executed_at < end):
            key = (deployment_id, fill.coin, fill.executed_at.astimezone(zone).date())
            earned = ProfitAndLoss(realized, ZERO, fill.fee_aud, 1)
            days[key] = days.get(key, ProfitAndLoss()) + earned
    told = [Line(*key, earned) for key, earned in days.items()]
    held = [
        Line(deployment_id, coin, None, ProfitAndLoss(unrealized_aud=book.quantity * marks_aud[coin] - book.cost_aud))
        for (deployment_id, coin), book in books.items()
        if book.quantity and coin in marks_aud
    ]
    return told + held


def total(of: Iterable[Line]) -> ProfitAndLoss:
    return sum((line.earned for line in of), ProfitAndLoss())


def summed(of: Iterable[Line], by: Callable[[Line], Key]) -> dict[Key, ProfitAndLoss]:
    """Lines that share a key, added up."""
    groups: dict[Key, ProfitAndLoss] = {}
    for line in of:
        key = by(line)
        groups[key] = groups.get(key, ProfitAndLoss()) + line.earned
    return groups


def by_deployment(of: Iterable[Line]) -> dict[UUID, ProfitAndLoss]:
    return summed(of, lambda line: line.deployment_id)


def by_coin(of: Iterable[Line]) -> dict[str, ProfitAndLoss]:
    return summed(of, lambda line: line.coin)


def by_day(of: Iterable[Line]) -> dict[date | None, ProfitAndLoss]:
    """`None` is what is held now."""
    return summed(of, lambda line: line.day)
