"""Predictors see what they say and do not depend on the price."""

import numpy as np
import pytest

from omc.errors import InvalidInput
from omc.feature.frame import Frame
from omc.feature.indicator import Indicators
from omc.feature.predictors import predictors

WALK = np.round(100 * np.exp(np.random.default_rng(3).normal(0, 0.01, (200, 2)).cumsum(axis=0)), 6)
TIMES = np.datetime64("2025-01-01", "us") + np.arange(200) * np.timedelta64(300, "s")


def frame(last):
    return Frame(TIMES[: len(last)], ("A", "B"), last, last, last)


def found(last, lookback=33):
    return np.array(predictors(frame(last), Indicators(last), lookback))


def test_a_row_sees_its_lookback_and_itself():
    whole = found(WALK)
    assert whole.shape == (17, 200, 2)
    assert np.isfinite(whole[:, 33:]).all()
    assert np.isnan(whole[:, 32]).any(axis=0).all()
    assert found(WALK[100:134])[:, -1].tobytes() == whole[:, 133].tobytes()


def test_they_are_the_same_for_a_coin_of_another_price():
    assert found(WALK * 128)[:, 33:] == pytest.approx(found(WALK)[:, 33:], rel=1e-9, abs=1e-9)


def test_what_never_moves_stands_in_the_middle_and_nothing_is_infinite():
    still = found(np.full((60, 2), 3.0))[:, 40:]
    assert np.isfinite(still).all()
    assert set(np.unique(still)) == {0.0, 0.5, 50.0}


def test_a_lookback_too_short_is_refused():
    with pytest.raises(InvalidInput, match="32 bars or more"):
        found(WALK, 31)
