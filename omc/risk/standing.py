"""What losses are measured from: a day's opening equity, and the highest there was."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Self
from zoneinfo import ZoneInfo

from omc.market.money import ZERO

_FLAPPING = timedelta(days=1)
"""A clock that goes back over one midnight only is let go over it again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a deployment, or of all that an owner, or everybody, has in one mode. `capital_aud` is what was put in: money
    that comes or goes is neither earned nor lost."""

    day: date
    opening_aud: Decimal
    peak_aud: Decimal
    capital_aud: Decimal
    told: frozenset[str] = frozenset()
    """Limits whose breach was told today."""
    tripped: bool = False
    """Whether a loss has tripped a switch since it was last measured anew: then a reset measures it anew again."""

    @classmethod
    def begun(cls, day: date, equity_aud: Decimal, capital_aud: Decimal) -> Self:
        return cls(day, equity_aud, equity_aud, capital_aud)

    def at(self, day: date, equity_aud: Decimal, capital_aud: Decimal) -> Self:
        """As it stands on `day` with that equity. A day before the one it knows is a clock that jumped, and begins none
        anew: what was lost goes on to count. Where the clock had been days ahead, the next day begins in its time."""
        flow = capital_aud - self.capital_aud
        moved = replace(
            self,
            opening_aud=self.opening_aud + flow,
            peak_aud=max(self.peak_aud + flow, equity_aud),
            capital_aud=capital_aud,
        )
        if day > self.day:
            return replace(moved, day=day, opening_aud=equity_aud, told=frozenset())
        return replace(moved, day=day) if self.day - day > _FLAPPING else moved

    def day_result_aud(self, equity_aud: Decimal) -> Decimal:
        """Realized, unrealized and fees since the day began."""
        return equity_aud - self.opening_aud

    def drawdown(self, equity_aud: Decimal) -> Decimal:
        """The loss from the peak as a share of it; of the capital, where losses have eaten the peak up."""
        lost, whole = self.peak_aud - equity_aud, max(self.peak_aud, self.capital_aud)
        if lost <= 0:
            return ZERO
        return lost / whole if whole > 0 else Decimal(1)

    def told_of(self, limit: str) -> Self:
        return replace(self, told=self.told | {limit})


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def end_of_day(instant: datetime, zone: ZoneInfo) -> datetime:
    """The midnight after `instant`, wherever clocks are put forward or back in between."""
    return datetime.combine(day_of(instant, zone) + timedelta(days=1), time(), zone)


@dataclass(frozen=True, slots=True)
class Sale:
    """What one order that sold has earned after fees, when it was last filled."""

    at: datetime
    result_aud: Decimal


@dataclass(frozen=True, slots=True)
class Streak:
    """Losses in a row, and until when they keep from adding."""

    losses: int = 0
    cooling_until: datetime | None = None

    @classmethod
    def of(cls, sales: Sequence[Sale], most: int, cool_down_s: Decimal | None, zone: ZoneInfo) -> Self:
        """After `sales`, oldest first. A gain ends a row, and so does the rest after as many losses as there may be."""
        losses, until = 0, None
        for sale in sales:
            if until is not None and sale.at >= until:
                losses, until = 0, None
            losses = losses + 1 if sale.result_aud < 0 else 0
            if losses >= most:
                rest = None if cool_down_s is None else timedelta(seconds=float(cool_down_s))
                until = sale.at + rest if rest is not None else end_of_day(sale.at, zone)
        return cls(losses, until)
