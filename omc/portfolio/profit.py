"""What round trips amount to, as freqtrade's `profit`, `performance` and `daily` define it.

Closed trips count by when they were closed. A trip that earned nothing is a win, as there. The drawdown is that of the
profits of closed trips, one after the other, from the cash that was put in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from omc.market.money import ZERO
from omc.portfolio.round_trips import RoundTrip

Worth = Callable[[RoundTrip], Decimal]
"""What selling the rest of an open trip would bring, in AUD."""


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The largest fall of the balance of closed trips from its highest, and as a fraction of that highest."""

    aud: Decimal
    fraction: float


@dataclass(frozen=True, slots=True)
class Profit:
    """Fractions are of the cash that was put in; means are of each trip's own gain."""

    closed_aud: Decimal
    all_aud: Decimal
    capital_aud: Decimal
    closed_mean: float
    all_mean: float
    trades: int
    closed_trades: int
    winning: int
    losing: int
    profit_factor: float
    """NaN when nothing was lost."""
    expectancy_aud: Decimal
    best_coin: str | None
    best_coin_gain: float
    drawdown: Drawdown
    volume_aud: Decimal
    first_opened: datetime | None
    latest_opened: datetime | None
    average_duration: timedelta | None

    @classmethod
    def of(cls, trips: Sequence[RoundTrip], worth: Worth, capital_aud: Decimal) -> Self:
        closed = [trip for trip in trips if trip.closed_at is not None]
        profits = [trip.profit_aud() for trip in closed]
        won = sum((each for each in profits if each >= 0), ZERO)
        lost = -sum((each for each in profits if each < 0), ZERO)
        worths = [ZERO if trip.closed_at is not None else worth(trip) for trip in trips]
        coins = performance(closed)
        best = max(coins, key=lambda each: each.gain, default=None)
        opened = [trip.opened_at for trip in trips]
        durations = [trip.duration for trip in closed if trip.duration is not None]
        return cls(
            closed_aud=sum(profits, ZERO),
            all_aud=sum((trip.profit_aud(at) for trip, at in zip(trips, worths, strict=True)), ZERO),
            capital_aud=capital_aud,
            closed_mean=_mean([trip.gain() for trip in closed]),
            all_mean=_mean([trip.gain(at) for trip, at in zip(trips, worths, strict=True)]),
            trades=len(trips),
            closed_trades=len(closed),
            winning=sum(each >= 0 for each in profits),
            losing=sum(each < 0 for each in profits),
            profit_factor=float(won / lost) if lost else float("nan"),
            expectancy_aud=sum(profits, ZERO) / len(closed) if closed else ZERO,
            best_coin=best.coin if best else None,
            best_coin_gain=best.gain if best else 0.0,
            drawdown=drawdown(closed, capital_aud),
            volume_aud=sum((trip.paid_aud + trip.got_aud for trip in trips), ZERO),
            first_opened=min(opened, default=None),
            latest_opened=max(opened, default=None),
            average_duration=sum(durations, timedelta()) / len(durations) if durations else None,
        )

    @property
    def win_rate(self) -> float:
        """Of closed trips; NaN without any."""
        return self.winning / self.closed_trades if self.closed_trades else float("nan")

    def of_capital(self, amount_aud: Decimal) -> float:
        return float(amount_aud / self.capital_aud) if self.capital_aud else 0.0


@dataclass(frozen=True, slots=True)
class CoinPerformance:
    """`gain` is the profit over everything that was paid for the coin."""

    coin: str
    profit_aud: Decimal
    gain: float
    trades: int


def performance(trips: Iterable[RoundTrip]) -> list[CoinPerformance]:
    """Of closed trips by coin, the most profitable first."""
    by_coin: dict[str, list[RoundTrip]] = {}
    for trip in trips:
        if trip.closed_at is not None:
            by_coin.setdefault(trip.coin, []).append(trip)
    rows = []
    for coin, each in sorted(by_coin.items()):
        profit, paid = sum((trip.profit_aud() for trip in each), ZERO), sum((trip.paid_aud for trip in each), ZERO)
        rows.append(CoinPerformance(coin, profit, float(profit / paid) if paid else 0.0, len(each)))
    return sorted(rows, key=lambda row: row.profit_aud, reverse=True)


def drawdown(trips: Iterable[RoundTrip], capital_aud: Decimal) -> Drawdown:
    """Of closed trips in the order of their ends."""
    ended = sorted((trip.closed_at, trip.profit_aud()) for trip in trips if trip.closed_at is not None)
    balance = highest = capital_aud
    worst = Drawdown(ZERO, 0.0)
    for _, profit in ended:
        balance += profit
        highest = max(highest, balance)
        fall = highest - balance
        worst = Drawdown(max(worst.aud, fall), max(worst.fraction, float(fall / highest) if highest > 0 else 0.0))
    return worst


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"

    def beginning(self, day: date) -> date:
        """The first day of the period that `day` lies in."""
        match self:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)

    def before(self, first: date) -> date:
        """The first day of the period before the one that begins on `first`."""
        return self.beginning(first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Earned:
    """What trips that were closed in one period earned. `balance_aud` is the cash put in and all earlier profits."""

    first: date
    profit_aud: Decimal
    balance_aud: Decimal
    trades: int

    @property
    def gain(self) -> float:
        return float(self.profit_aud / self.balance_aud) if self.balance_aud > 0 else 0.0


def by_period(
    trips: Sequence[RoundTrip], period: Period, today: date, count: int, *, capital_aud: Decimal, zone: ZoneInfo
) -> list[Earned]:
    """The newest `count` periods, the one of `today` first; one without trades is among them."""
    closed: dict[date, list[Decimal]] = {}
    for trip in trips:
        if trip.closed_at is not None:
            first = period.beginning(trip.closed_at.astimezone(zone).date())
            closed.setdefault(first, []).append(trip.profit_aud())
    profits: Mapping[date, Decimal] = {first: sum(each, ZERO) for first, each in closed.items()}
    rows, first = [], period.beginning(today)
    for _ in range(count):
        earlier = sum((profit for other, profit in profits.items() if other < first), ZERO)
        row = Earned(first, profits.get(first, ZERO), capital_aud + earlier, len(closed.get(first, ())))
        rows.append(row)
        first = period.before(first)
    return rows


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
