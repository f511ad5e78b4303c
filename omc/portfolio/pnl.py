"""What deployments earned: realized, unrealized and fees, by deployment, coin and day.

Law: over everything, realized + unrealized - fees = equity - deposited, whichever way it is cut.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Self, TypeVar
from uuid import UUID

from omc.market.money import ZERO
from omc.portfolio.position import Position
from omc.trading.fill import Fill

Key = TypeVar("Key", bound=Hashable)


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
    """What one coin of one deployment earned on one day, in UTC. The line without a day is what is held now."""

    deployment_id: UUID
    coin: str
    day: date | None
    earned: ProfitAndLoss


def lines(
    fills: Iterable[tuple[UUID, Fill]],
    marks_aud: Mapping[str, Decimal],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Line]:
    """The P&L of fills, each with its deployment, in the order of their execution.

    The average cost needs every fill there ever was; `start` and `end` (exclusive) choose which ones' earnings are
    told. Marks are bids; a coin without one is valued at its cost, and so earns nothing yet.
    """
    positions: dict[tuple[UUID, str], Position] = {}
    days: dict[tuple[UUID, str, date], ProfitAndLoss] = {}
    for deployment_id, fill in fills:
        before = positions.get((deployment_id, fill.coin), Position(fill.coin))
        after = positions[deployment_id, fill.coin] = before.apply(fill, fill.price_aud)
        if (start is None or fill.executed_at >= start) and (end is None or fill.executed_at < end):
            key = (deployment_id, fill.coin, fill.executed_at.astimezone(UTC).date())
            earned = ProfitAndLoss(after.realized_aud - before.realized_aud, ZERO, fill.fee_aud, 1)
            days[key] = days.get(key, ProfitAndLoss()) + earned
    told = [Line(*key, earned) for key, earned in days.items()]
    held = [
        Line(deployment_id, coin, None, ProfitAndLoss(unrealized_aud=position.unrealized_aud(marks_aud[coin])))
        for (deployment_id, coin), position in positions.items()
        if position.quantity and coin in marks_aud
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
