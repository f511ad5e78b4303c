from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from omc.risk.standing import Sale, Standing, Streak, day_of, end_of_day

SYDNEY, UTC_ZONE = ZoneInfo("Australia/Sydney"), ZoneInfo("UTC")
MONDAY = date(2025, 3, 3)
BEGUN = Standing.begun(MONDAY, Decimal(1000), Decimal(1000))
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
AMOUNTS = st.decimals(-10_000, 10_000, places=2)


def test_a_loss_is_measured_from_the_days_beginning_and_from_the_peak():
    lower = BEGUN.at(MONDAY, Decimal(1200), Decimal(1000)).at(MONDAY, Decimal(900), Decimal(1000))
    assert lower.day_result_aud(Decimal(900)) == -100
    assert lower.drawdown(Decimal(900)) == Decimal("0.25")
    tuesday = replace(lower, told=frozenset({"drawdown"})).at(MONDAY + timedelta(days=1), Decimal(800), Decimal(1000))
    assert tuesday.day_result_aud(Decimal(800)) == 0
    assert tuesday.drawdown(Decimal(900)) == Decimal("0.25")
    assert tuesday.told == frozenset()


@given(st.lists(AMOUNTS, min_size=1), AMOUNTS, AMOUNTS)
def test_money_that_comes_or_goes_is_neither_earned_nor_lost(worth: list[Decimal], put_in: Decimal, equity: Decimal):
    standing = BEGUN
    for each in worth:
        standing = standing.at(MONDAY, each, Decimal(1000))
    moved = standing.at(MONDAY, equity + put_in, 1000 + put_in)
    stayed = standing.at(MONDAY, equity, Decimal(1000))
    assert moved.day_result_aud(equity + put_in) == stayed.day_result_aud(equity)
    assert moved.peak_aud - (equity + put_in) == stayed.peak_aud - equity


@given(st.lists(AMOUNTS, min_size=1))
def test_the_peak_is_the_highest_seen_and_a_drawdown_is_never_below_nothing(worth: list[Decimal]):
    standing = BEGUN
    for day, each in enumerate(worth):
        standing = standing.at(MONDAY + timedelta(days=day), each, Decimal(1000))
        assert standing.drawdown(each) >= 0
    assert standing.peak_aud == max(1000, *worth)


def test_a_clock_that_jumps_back_begins_no_day():
    before = replace(BEGUN.at(MONDAY, Decimal(900), Decimal(1000)), told=frozenset({"x"}))
    assert before.at(MONDAY - timedelta(days=1), Decimal(900), Decimal(1000)) == before


def test_losses_that_ate_the_peak_up_are_a_share_of_the_capital():
    ruined = Standing(MONDAY, Decimal(-4000), Decimal(-4000), Decimal(1000))
    assert ruined.drawdown(Decimal(-4100)) == Decimal("0.1")
    assert Standing(MONDAY, Decimal(0), Decimal(0), Decimal(0)).drawdown(Decimal(-1)) == 1


def test_a_day_is_the_owners():
    before_midnight = datetime(2025, 3, 3, 12, 59, tzinfo=UTC)
    assert day_of(before_midnight, SYDNEY) == date(2025, 3, 3)
    assert day_of(before_midnight + timedelta(minutes=1), SYDNEY) == date(2025, 3, 4)
    assert day_of(before_midnight + timedelta(minutes=1), UTC_ZONE) == date(2025, 3, 3)


def test_days_last_as_long_as_the_clocks_that_are_put_forward_and_back_say():
    back, forward = datetime(2025, 4, 5, 13, tzinfo=UTC), datetime(2025, 10, 4, 14, tzinfo=UTC)
    for midnight, hours in ((back, 25), (forward, 23), (back + timedelta(hours=25), 24)):
        assert day_of(midnight, SYDNEY) > day_of(midnight - timedelta(microseconds=1), SYDNEY)
        assert end_of_day(midnight, SYDNEY).astimezone(UTC) - midnight == timedelta(hours=hours)


@given(st.timedeltas(timedelta(0), timedelta(days=3650)))
def test_a_day_ends_after_every_moment_of_it(since: timedelta):
    instant = datetime(2020, 1, 1, tzinfo=UTC) + since
    end = end_of_day(instant, SYDNEY)
    assert end > instant
    assert day_of(end, SYDNEY) == day_of(instant, SYDNEY) + timedelta(days=1)
    assert day_of(end.astimezone(UTC) - timedelta(microseconds=1), SYDNEY) == day_of(instant, SYDNEY)


def sales(*results: int) -> list[Sale]:
    return [Sale(NOON + timedelta(minutes=number), Decimal(result)) for number, result in enumerate(results)]


def test_a_gain_ends_a_row_of_losses():
    assert Streak.of(sales(-1, -1, 1, -1), 3, None, UTC_ZONE) == Streak(1, None)
    assert Streak.of(sales(-1, 0, -1), 2, None, UTC_ZONE).cooling_until is None


def test_a_row_that_is_long_enough_rests_until_its_day_is_over():
    streak = Streak.of(sales(1, -1, -1), 2, None, SYDNEY)
    assert (streak.losses, streak.cooling_until) == (2, datetime(2025, 3, 3, 13, tzinfo=UTC))


def test_a_row_rests_for_its_time_and_another_begins_after_it():
    assert Streak.of(sales(-1, -1), 2, Decimal(90), UTC_ZONE).cooling_until == NOON + timedelta(seconds=150)
    again = Streak.of([*sales(-1, -1), Sale(NOON + timedelta(hours=1), Decimal(-1))], 2, Decimal(90), UTC_ZONE)
    assert again == Streak(1, None)
    # A loss of what was held while it rested makes it rest again.
    held_on = Streak.of(sales(-1, -1, -1), 2, Decimal(90), UTC_ZONE)
    assert held_on == Streak(3, NOON + timedelta(seconds=210))


def test_a_clock_that_was_days_ahead_lets_the_next_day_begin_in_its_time():
    begun = Standing.begun(MONDAY, Decimal(1000), Decimal(1000))
    ahead = begun.at(MONDAY + timedelta(days=400), Decimal(990), Decimal(1000))
    back = ahead.at(MONDAY, Decimal(950), Decimal(1000))
    assert (back.day, back.day_result_aud(Decimal(950))) == (MONDAY, -40)
    tuesday = back.at(MONDAY + timedelta(days=1), Decimal(940), Decimal(1000))
    assert (tuesday.day, tuesday.opening_aud) == (MONDAY + timedelta(days=1), 940)
