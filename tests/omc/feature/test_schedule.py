"""Periods begin at multiples of their length, whatever the first row is."""

import numpy as np

from omc.feature.schedule import period_starts


def times(*bars: int) -> np.ndarray:
    return np.datetime64("2025-01-01", "us") + np.array(bars) * np.timedelta64(300, "s")


def test_a_period_begins_at_a_multiple_of_its_length():
    assert period_starts(times(*range(8)), 3).tolist() == [-1, -1, -1, 3, 3, 3, 6, 6]
    assert period_starts(times(*range(5, 12)), 3).tolist() == [-1, 1, 1, 1, 4, 4, 4]


def test_a_missing_row_moves_no_period():
    assert period_starts(times(0, 1, 2, 4, 5, 8, 9), 3).tolist() == [-1, -1, -1, 3, 3, 5, 6]


def test_rows_beyond_what_a_period_holds_belong_to_none():
    minutes = np.datetime64("2025-01-01", "us") + np.arange(12) * np.timedelta64(120, "s")
    assert period_starts(minutes, 2).tolist() == [-1] * 5 + [5, 5, -1, -1, -1, 10, 10]


def test_without_rows_there_are_no_periods():
    assert period_starts(times(), 3).tolist() == []
