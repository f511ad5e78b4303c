from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isnan
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from omc.market.money import ZERO
from omc.portfolio.profit import Period, Profit, by_period, drawdown, performance
from omc.portfolio.round_trips import RoundTrip

START = datetime(2025, 1, 6, tzinfo=UTC)
UTC_ZONE, SYDNEY = ZoneInfo("UTC"), ZoneInfo("Australia/Sydney")
CAPITAL = Decimal(1000)


def trip(coin: str, paid: int, got: int, *, day: int = 0, hours: int | None = 10) -> RoundTrip:
    opened = START + timedelta(days=day)
    closed = None if hours is None else opened + timedelta(hours=hours)
    sold = Decimal(0 if closed is None else 1)
    return RoundTrip(UUID(int=1), coin, opened, closed, Decimal(1), sold, Decimal(paid), Decimal(got))


TRIPS = [
    trip("BTC", 100, 110),
    trip("ETH", 100, 100, day=1),
    trip("BTC", 100, 60, day=2, hours=20),
    trip("XRP", 100, 0, day=3, hours=None),
]


def of(trips: list[RoundTrip], worth: int = 0) -> Profit:
    return Profit.of(trips, lambda _: Decimal(worth), CAPITAL)


def test_profit_counts_closed_trips_and_all_of_them() -> None:
    profit = of(TRIPS, worth=125)
    assert (profit.closed_aud, profit.all_aud) == (-30, -5)
    assert (profit.trades, profit.closed_trades, profit.winning, profit.losing) == (4, 3, 2, 1)
    assert profit.win_rate == 2 / 3
    assert profit.profit_factor == 0.25
    assert profit.closed_mean == pytest.approx(-0.1)
    assert profit.all_mean == pytest.approx((0.1 + 0 - 0.4 + 0.25) / 4)
    assert profit.expectancy_aud == -10
    assert (profit.best_coin, profit.best_coin_gain) == ("ETH", 0.0)
    assert profit.volume_aud == 670
    assert (profit.first_opened, profit.latest_opened) == (START, START + timedelta(days=3))
    assert profit.average_duration == timedelta(hours=40) / 3
    assert profit.of_capital(profit.closed_aud) == -0.03


def test_nothing_traded_is_no_profit_and_has_no_rates() -> None:
    profit = of([])
    assert (profit.closed_aud, profit.all_aud, profit.trades, profit.best_coin) == (0, 0, 0, None)
    assert isnan(profit.win_rate)
    assert isnan(profit.profit_factor)
    assert (profit.first_opened, profit.average_duration) == (None, None)
    assert profit.drawdown.aud == 0


def test_the_drawdown_is_the_largest_fall_from_the_highest_balance() -> None:
    worst = drawdown([*TRIPS, trip("BTC", 100, 300, day=9)], CAPITAL)
    assert worst.aud == 40
    assert worst.fraction == pytest.approx(40 / 1010)


def test_coins_come_by_what_they_earned() -> None:
    rows = performance(TRIPS)
    assert [(row.coin, row.profit_aud, row.trades) for row in rows] == [("ETH", 0, 1), ("BTC", -30, 2)]
    assert rows[1].gain == -0.15


def test_a_day_without_trades_is_a_row_and_balances_carry_on() -> None:
    rows = by_period(TRIPS, Period.DAY, date(2025, 1, 9), 4, capital_aud=CAPITAL, zone=UTC_ZONE)
    assert [(row.first.day, row.profit_aud, row.balance_aud, row.trades) for row in rows] == [
        (9, 0, 970, 0),
        (8, -40, 1010, 1),
        (7, 0, 1010, 1),
        (6, 10, 1000, 1),
    ]
    assert rows[3].gain == 0.01


@pytest.mark.parametrize(("period", "first", "before"), [("week", 20, 13), ("month", 1, 1)])
def test_weeks_begin_on_monday_and_months_on_their_first(period, first, before) -> None:
    beginning = Period(period).beginning(date(2025, 1, 22))
    assert beginning.day == first
    assert Period(period).before(beginning).day == before


def test_a_period_is_one_of_its_owners_calendar() -> None:
    late = [trip("BTC", 100, 110, hours=14)]
    (utc,) = by_period(late, Period.DAY, date(2025, 1, 6), 1, capital_aud=CAPITAL, zone=UTC_ZONE)
    (sydney,) = by_period(late, Period.DAY, date(2025, 1, 6), 1, capital_aud=CAPITAL, zone=SYDNEY)
    assert (utc.profit_aud, sydney.profit_aud, sydney.balance_aud) == (10, ZERO, 1000)
