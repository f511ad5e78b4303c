"""Round trips: from the first coin bought until none is held, and those that are still open.

They begin and end as the lab's do (`omc/backtest/trips.py`), which counts in floats: this is for what was really paid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from omc.market.money import ZERO
from omc.portfolio.counted import Owned, in_order
from omc.trading.fill import Fill, Side


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What others call a trade. Money has its fees inside: `paid_aud` went out for its purchases, `got_aud` came in
    from its sales."""

    deployment_id: UUID
    coin: str
    opened_at: datetime
    closed_at: datetime | None
    """None while some of it is held."""
    bought: Decimal
    sold: Decimal
    paid_aud: Decimal
    got_aud: Decimal

    @property
    def held(self) -> Decimal:
        return self.bought - self.sold

    @property
    def duration(self) -> timedelta | None:
        return None if self.closed_at is None else self.closed_at - self.opened_at

    def profit_aud(self, worth_aud: Decimal = ZERO) -> Decimal:
        """After fees; `worth_aud` is what selling the coins that are still held would bring."""
        return self.got_aud + worth_aud - self.paid_aud

    def gain(self, worth_aud: Decimal = ZERO) -> float:
        """The profit as a fraction of what was paid; 0 where nothing was."""
        return float(self.profit_aud(worth_aud) / self.paid_aud) if self.paid_aud else 0.0


def round_trips(fills: Iterable[Owned]) -> list[RoundTrip]:
    """In the order of their openings. `fills` may come in any order, and twice."""
    by_coin: dict[tuple[UUID, str], list[Fill]] = {}
    for owner, fill in in_order(fills):
        by_coin.setdefault((owner, fill.coin), []).append(fill)
    found = [trip for (owner, _), each in by_coin.items() for trip in _of_one(owner, each)]
    return sorted(found, key=lambda trip: (trip.opened_at, trip.deployment_id, trip.coin))


def _of_one(owner: UUID, fills: Sequence[Fill]) -> list[RoundTrip]:
    """Of one coin."""
    found: list[RoundTrip] = []
    held, part = ZERO, list[Fill]()
    for fill in fills:
        part.append(fill)
        held += fill.quantity if fill.side is Side.BUY else -fill.quantity
        if not held:
            found.append(_trip(owner, part, over=True))
            part = []
    return [*found, _trip(owner, part, over=False)] if part else found


def _trip(owner: UUID, fills: Sequence[Fill], *, over: bool) -> RoundTrip:
    bought, sold = ([fill for fill in fills if fill.side is side] for side in (Side.BUY, Side.SELL))
    return RoundTrip(
        deployment_id=owner,
        coin=fills[0].coin,
        opened_at=fills[0].executed_at,
        closed_at=fills[-1].executed_at if over else None,
        bought=sum((fill.quantity for fill in bought), ZERO),
        sold=sum((fill.quantity for fill in sold), ZERO),
        paid_aud=sum((fill.total_aud for fill in bought), ZERO),
        got_aud=sum((fill.total_aud for fill in sold), ZERO),
    )
