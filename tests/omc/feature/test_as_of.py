"""Rows know what had been seen by then, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.feature.as_of import Observations, as_of


def at(*hours: float) -> np.ndarray:
    return np.datetime64("2026-01-01", "us") + (np.array(hours, float) * 3600e6).astype("timedelta64[us]")


def test_a_value_is_known_from_the_moment_it_was_seen():
    late = Observations(event_time=at(1), published_time=at(2), seen_time=at(5), value=np.array([7.0]))
    known = as_of(late, at(1, 2, 4.9, 5, 9))
    assert np.isnan(known[:3]).all()
    assert known[3:].tolist() == [7, 7]


def test_a_revision_counts_from_when_it_was_seen():
    revised = Observations(at(1, 1), at(1, 4), at(2, 5), np.array([10.0, 12.0]))
    assert as_of(revised, at(2, 4, 5, 6)).tolist() == [10, 10, 12, 12]


def test_a_late_revision_of_an_older_event_does_not_hide_a_newer_one():
    series = Observations(at(1, 2, 1), at(1, 2, 3), at(1, 2, 3), np.array([10.0, 20.0, 11.0]))
    assert as_of(series, at(1, 2, 3)).tolist() == [10, 20, 20]


def test_what_comes_in_out_of_order_is_put_in_order():
    series = Observations(at(3, 1), at(3, 1), at(3, 3.5), np.array([30.0, 10.0]))
    assert as_of(series, at(3, 4)).tolist() == [30, 30]


def test_nothing_seen_is_nothing_known():
    nothing = Observations(at(), at(), at(), np.empty(0))
    assert np.isnan(as_of(nothing, at(1, 2))).all()


def test_columns_of_one_length_are_asked_for():
    with pytest.raises(ValueError, match="value has shape"):
        Observations(at(1), at(1), at(1), np.array([1.0, 2.0]))


EVENTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 5)), max_size=25)


@given(EVENTS, st.lists(st.integers(-2, 25), max_size=10))
def test_it_is_what_a_slow_look_up_finds(events, rows):
    event = [each for each, _, _ in events]
    published = [each + after for each, after, _ in events]
    seen = [each + after + later for each, after, later in events]
    series = Observations(at(*event), at(*published), at(*seen), np.arange(len(events), dtype=float))
    times = at(*rows)
    for row, found in zip(rows, as_of(series, times), strict=True):
        known = [i for i in range(len(events)) if seen[i] <= row]
        if known:
            assert found == max(known, key=lambda i: (event[i], seen[i], published[i], i))
        else:
            assert np.isnan(found)
