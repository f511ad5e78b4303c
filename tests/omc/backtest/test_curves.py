"""A curve that is thinned still looks like itself."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest.curves import Curves, MemoryCurveStore, thinned
from omc.errors import NotFound


@given(st.lists(st.floats(1.0, 1e6) | st.just(float("nan")), min_size=1, max_size=400), st.integers(4, 60))
def test_ends_and_extremes_stay_and_no_more_than_asked(values, most):
    curve = np.array(values)
    kept = thinned(curve, most)
    assert len(kept) <= max(most, 4)
    assert (kept[0], kept[-1]) == (0, len(curve) - 1)
    assert (np.diff(kept) > 0).all()
    if not np.isnan(curve).any():
        assert curve[kept].max() == curve.max()
        assert curve[kept].min() == curve.min()


def test_a_short_curve_is_left_whole():
    assert thinned(np.arange(5.0), 2_000).tolist() == [0, 1, 2, 3, 4]


def test_rows_of_curves_are_taken_together():
    times = np.datetime64("2025-01-01", "us") + np.arange(4) * np.timedelta64(1, "h")
    whole = Curves(times, np.arange(4.0), np.arange(4.0) + 10, np.arange(4.0) + 20)
    part = whole.rows(np.array([1, 3]))
    assert [column.tolist() for column in list(part.columns().values())[1:]] == [[1, 3], [11, 13], [21, 23]]


async def test_a_backtest_without_a_history_says_so():
    with pytest.raises(NotFound, match="keeps no curve"):
        await MemoryCurveStore().curves(UUID(int=1))
