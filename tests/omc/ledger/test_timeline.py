from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.ledger.timeline import LASTS_S, TOLERANCE, Timeline

START = datetime(2025, 1, 1, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


def going(*readings):
    line = Timeline()
    for time, elapsed_s in readings:
        assert line.jump(at(time), elapsed_s) is None
        line.take(at(time), elapsed_s)
    return line


def test_a_clock_that_goes_as_time_does_is_believed_after_any_pause():
    line = going((0, 0.0), (5, 5.0), (3_605, 3_604.0))
    assert line.jump(at(3_610), 3_609.0) is None


@pytest.mark.parametrize("jump", [86_400, 3_600, 31, -31, -3_600])
def test_one_that_jumps_is_not_until_it_has_gone_on_from_there(jump):
    line = going((0, 0.0))
    assert line.jump(at(5 + jump), 5.0) == timedelta(seconds=jump)
    assert line.jump(at(30 + jump), 30.0) is not None
    assert line.jump(at(5 + LASTS_S + jump), 5.0 + LASTS_S) is None
    assert line.lasted(5.0 + LASTS_S)
    assert line.take(at(5 + LASTS_S + jump), 5.0 + LASTS_S) is (jump < 0)
    assert line.jump(at(10 + LASTS_S + jump), 10.0 + LASTS_S) is None


def test_one_that_jumps_from_place_to_place_is_never_believed():
    line = going((0, 0.0))
    for number in range(1, 100):
        assert line.jump(at(5 * number + 1_000 * number), 5.0 * number) is not None


def test_one_that_jumps_and_comes_back_has_not_jumped():
    line = going((0, 0.0))
    assert line.jump(at(90_000), 5.0) is not None
    assert line.jump(at(59), 59.0) is None
    assert line.jump(at(90_060), 66.0) is not None


@given(st.lists(st.floats(0.5, 20.0), min_size=1, max_size=40), st.floats(-0.4, 0.4))
def test_one_that_is_slewed_is_believed_however_far_it_is_slewed_in_all(steps, slew):
    line, elapsed, shown = Timeline(), 0.0, 0.0
    for step in steps:
        elapsed += step
        shown += step * (1.0 + slew)
        assert abs(step * slew) < TOLERANCE.total_seconds()
        assert line.jump(at(shown), elapsed) is None
        assert not line.take(at(shown), elapsed)
