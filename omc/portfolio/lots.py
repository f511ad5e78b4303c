"""Parcels of one coin, as the Australian tax office wants them told apart: the first bought is the first sold.

A parcel's cost base is the cash that it was bought with, fee inside; a disposal's proceeds are the cash that came in,
after the sale's fee. Gains are the same as if that fee were added to the cost base, as an accountant would.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Self
from zoneinfo import ZoneInfo

from omc.market.money import CENT, SATOSHI, ZERO
from omc.trading.fill import Fill, Side


@dataclass(frozen=True, slots=True)
class Parcel:
    """Coins bought at once, or what is left of them."""

    fill_id: str
    acquired_at: datetime
    quantity: Decimal
    cost_base_aud: Decimal
    fee_aud: Decimal
    """Inside the cost base."""

    @classmethod
    def bought(cls, fill: Fill) -> Self:
        return cls(fill.fill_id, fill.executed_at, fill.quantity, fill.total_aud, fill.fee_aud)

    @property
    def cost_aud(self) -> Decimal:
        """Without the fee."""
        return self.cost_base_aud - self.fee_aud

    def without(self, quantity: Decimal) -> Self:
        """What is left when `quantity` of it is gone."""
        left = self.quantity - quantity
        return replace(
            self,
            quantity=left,
            cost_base_aud=share(self.cost_base_aud, left, self.quantity),
            fee_aud=share(self.fee_aud, left, self.quantity),
        )


@dataclass(frozen=True, slots=True)
class Disposal:
    """Coins of one parcel that one fill sold."""

    coin: str
    quantity: Decimal
    acquired_at: datetime
    disposed_at: datetime
    cost_base_aud: Decimal
    proceeds_aud: Decimal
    bought_fee_aud: Decimal
    sold_fee_aud: Decimal
    bought_by: str
    """The fill that bought them."""
    sold_by: str

    @property
    def gain_aud(self) -> Decimal:
        """Negative for a loss."""
        return self.proceeds_aud - self.cost_base_aud

    @property
    def realized_aud(self) -> Decimal:
        """The gain before the fees of both trades."""
        return self.gain_aud + self.bought_fee_aud + self.sold_fee_aud

    def held_days(self, zone: ZoneInfo) -> int:
        """From the day of the purchase to the day of the sale, as a calendar there has them."""
        return (_day(self.disposed_at, zone) - _day(self.acquired_at, zone)).days

    def over_twelve_months(self, zone: ZoneInfo) -> bool:
        """Whether twelve whole months lie between the day of the purchase and that of the sale, neither counted: what
        was bought on 2 February qualifies from 3 February of the next year on (TD 2002/10)."""
        return _day(self.disposed_at, zone) > _a_year_after(_day(self.acquired_at, zone))


class Lots:
    """What is held of one coin, in parcels, oldest first."""

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self._parcels: deque[Parcel] = deque()

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        return tuple(self._parcels)

    @property
    def quantity(self) -> Decimal:
        return sum((parcel.quantity for parcel in self._parcels), ZERO)

    @property
    def cost_aud(self) -> Decimal:
        """Paid for what is held, without fees."""
        return sum((parcel.cost_aud for parcel in self._parcels), ZERO)

    def apply(self, fill: Fill) -> list[Disposal]:
        """Count a fill; what it disposed of. Selling more than is held is refused, and changes nothing."""
        if fill.side is Side.BUY:
            self._parcels.append(Parcel.bought(fill))
            return []
        if fill.quantity > self.quantity:
            raise ValueError(f"cannot sell {fill.quantity} {fill.coin}: {self.quantity} held")
        return self._sell(fill)

    def realize(self, fill: Fill) -> Decimal:
        """Count a fill; what it realized before fees."""
        return sum((disposal.realized_aud for disposal in self.apply(fill)), ZERO)

    def _sell(self, fill: Fill) -> list[Disposal]:
        sold: list[Disposal] = []
        quantity, proceeds, fee = fill.quantity, fill.total_aud, fill.fee_aud
        while quantity:
            parcel = self._parcels.popleft()
            taken = min(quantity, parcel.quantity)
            rest = parcel.without(taken)
            # What comes after is rounded, what is told now is the remainder: so parts add up to the whole.
            left = quantity - taken
            later, later_fee = share(proceeds, left, quantity), share(fee, left, quantity)
            sold.append(
                Disposal(
                    coin=fill.coin,
                    quantity=taken,
                    acquired_at=parcel.acquired_at,
                    disposed_at=fill.executed_at,
                    cost_base_aud=parcel.cost_base_aud - rest.cost_base_aud,
                    proceeds_aud=proceeds - later,
                    bought_fee_aud=parcel.fee_aud - rest.fee_aud,
                    sold_fee_aud=fee - later_fee,
                    bought_by=parcel.fill_id,
                    sold_by=fill.fill_id,
                )
            )
            if rest.quantity:
                self._parcels.appendleft(rest)
            quantity, proceeds, fee = left, later, later_fee
        return sold


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """What `part` of `whole` has of an amount: in whole cents if the amount is, to eight decimals otherwise."""
    grid = SATOSHI if amount % CENT else CENT
    return (amount * part / whole).quantize(grid, ROUND_HALF_UP)


def _day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        # 29 February: its year is over with the next 28 February.
        return day.replace(year=day.year + 1, day=28)
