"""Folds test on what nothing trained on, and say so when there is too little of it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest.folds import folds
from omc.errors import InvalidInput


@given(
    rows=st.integers(400, 5_000),
    count=st.integers(2, 12),
    scheme=st.sampled_from(["anchored", "rolling"]),
    purge=st.integers(0, 10),
    embargo=st.integers(0, 10),
)
def test_every_fold_tests_after_what_it_trains_on_with_a_gap(rows, count, scheme, purge, embargo):
    cut = folds(rows, count, scheme=scheme, purge_bars=purge, embargo_bars=embargo)
    assert len(cut) == count
    for fold in cut:
        assert 0 <= fold.train[0] < fold.train[1]
        assert fold.test[0] - fold.train[1] == purge + embargo
        assert fold.test[0] + 2 <= fold.test[1] <= rows
        assert (fold.train[0] == 0) or scheme == "rolling"
    assert all(before.test[1] <= after.test[0] for before, after in pairwise(cut))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"count": 1}, "no folds, or from 2"),
        ({"count": 51}, "not 51"),
        ({"scheme": "sideways"}, "anchored or rolling"),
        ({"purge_bars": -1}, "negative"),
        ({"rows": 10, "count": 9}, "too few"),
        ({"purge_bars": 30}, "too few"),
    ],
)
def test_folds_that_cannot_be_are_refused(change, reason):
    asked = {"rows": 100, "count": 3, "scheme": "anchored", "purge_bars": 0, "embargo_bars": 0, **change}
    with pytest.raises(InvalidInput, match=reason):
        folds(asked.pop("rows"), asked.pop("count"), **asked)
