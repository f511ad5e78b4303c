"""A label is what could have been earned, and looks no further than it says."""

import numpy as np
import pytest

from omc.errors import InvalidInput
from omc.feature.frame import Frame
from omc.feature.label import gain, label_rows

BID = np.array([[10.0], [11.0], [12.0], [13.0], [np.nan], [15.0]])
TIMES = np.datetime64("2025-01-01", "us") + np.arange(6) * np.timedelta64(300, "s")
FRAME = Frame(TIMES, ("A",), BID, BID + 1, BID + 0.5)


def test_it_buys_at_the_next_ask_and_sells_at_the_bid_of_the_horizon():
    found = gain(FRAME, 2)[:, 0]
    assert found[:3].tolist() == [13 / 12 - 1, pytest.approx(np.nan, nan_ok=True), 15 / 14 - 1]
    assert np.isnan(found[3:]).all()


def test_each_side_pays_its_fee():
    assert gain(FRAME, 2, 100)[0, 0] == pytest.approx(13 * 0.99 / (12 * 1.01) - 1)


@pytest.mark.parametrize("horizon", [1, 2, 3, 9])
def test_the_label_of_a_row_is_known_as_many_rows_later_as_it_says(horizon):
    whole = gain(FRAME, horizon)
    for row in range(6):
        known = gain(FRAME.rows(0, min(row + label_rows(horizon) + 1, 6)), horizon)[row]
        assert known.tobytes() == whole[row].tobytes()
        assert np.isnan(gain(FRAME.rows(0, min(row + label_rows(horizon), 6)), horizon)[row]).all()


def test_no_horizon_is_refused():
    with pytest.raises(InvalidInput):
        gain(FRAME, 0)
