"""What each user may have and use."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.access.quota import Allowance, Quota, check_room, next_day
from omc.errors import PayloadTooLarge, RateLimited

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
MOMENTS = st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds, microseconds=seconds % 7))


@pytest.mark.parametrize("code", [None, "", "x" * 10, "é" * 5])
def test_code_up_to_the_limit_is_kept(code):
    Allowance(code_bytes=10).check_code(code)


@pytest.mark.parametrize("code", ["x" * 11, "é" * 6, "\ud800" * 4])
def test_more_code_is_too_large_by_its_bytes(code):
    with pytest.raises(PayloadTooLarge, match=r"1[12] bytes in UTF-8 of the 10 that"):
        Allowance(code_bytes=10).check_code(code)


@given(used=st.integers(0, 20), most=st.none() | st.integers(0, 20))
def test_there_is_room_as_long_as_less_is_used_than_there_may_be(used, most):
    for quota in (Quota.ALGORITHMS, Quota.BACKTESTS, Quota.SWEEPS):
        if most is None or used < most:
            check_room(quota, used, most)
        else:
            with pytest.raises(RateLimited) as refusal:
                check_room(quota, used, most)
            assert str(used) in str(refusal.value)
            assert str(most) in str(refusal.value)


def test_a_day_that_is_used_up_says_when_the_next_begins():
    allowed = Allowance(cpu_s=3_600.0)
    assert allowed.used_up(3_599.9, NOON) is None
    said = allowed.used_up(3_600.4, NOON)
    assert said == (
        "you have used 3,600 of your 3,600 CPU seconds of 2025-03-01: wait, since it starts anew at 00:00 UTC"
    )


@given(MOMENTS)
def test_the_next_day_begins_at_midnight_of_utc_and_at_most_a_day_later(now):
    then = next_day(now)
    assert timedelta(0) < then - now <= timedelta(days=1)
    assert (then.hour, then.minute, then.second, then.microsecond) == (0, 0, 0, 0)
    assert next_day(now.astimezone(timezone(timedelta(hours=11)))) == then
