"""The same thing is told once in a while, and every other at once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from serve_apps.seldom import Seldom

NOW, HOUR = datetime(2025, 1, 1, tzinfo=UTC), timedelta(hours=1)


def test_it_is_told_again_when_its_time_is_over_or_the_clock_was_put_back():
    seldom, one, other = Seldom(HOUR), uuid4(), uuid4()
    told = [seldom.tells(one, NOW + timedelta(minutes=each)) for each in (0, 1, 59, 60, 61, 30)]
    assert told == [True, False, False, True, False, True]
    assert seldom.tells(other, NOW)


def test_no_more_is_kept_than_was_allowed():
    seldom, one, two, three = Seldom(HOUR, most=2), uuid4(), uuid4(), uuid4()
    assert [seldom.tells(each, NOW) for each in (one, two, three, three, two, one)] == [
        True, True, True, False, False, True,
    ]  # fmt: skip
