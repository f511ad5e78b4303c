"""Each fold is traded by what was best before it, and trained on nothing that reaches into it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest.folds import Fold, folds
from omc.backtest.walk_forward import leaks, select, sharpes
from omc.errors import InvalidInput


def moments_of(returns: np.ndarray) -> np.ndarray:
    """(N, K, 3) of (N, K, R) returns."""
    counts = np.full(returns.shape[:2], float(returns.shape[2]))
    return np.stack([counts, returns.sum(axis=2), (returns**2).sum(axis=2)], axis=2)


def ratio(returns: np.ndarray) -> float:
    return returns.mean() / returns.std(ddof=1)


RETURNS = np.random.default_rng(4).normal(0, 0.01, (3, 4, 60))
RETURNS[0, :2] += 0.01
RETURNS[1, 2] += 0.02
RETURNS[2, 3] += 0.02
MOMENTS = moments_of(RETURNS)


def test_a_fold_is_traded_by_what_was_best_in_all_before_it():
    found = select(MOMENTS)
    assert (found.folds, found.chosen) == ((1, 2, 3), (0, 0, 0))
    traded = RETURNS[0, 1:]
    assert found.sharpe(365) == pytest.approx(ratio(traded.ravel()) * np.sqrt(365))
    assert found.bars == traded.size
    assert found.out_of_sample.tolist() == pytest.approx([ratio(each) for each in traded])
    assert found.in_sample.tolist() == pytest.approx([ratio(RETURNS[0, :k].ravel()) for k in (1, 2, 3)])


def test_a_rolling_walk_sees_only_the_fold_before():
    found = select(MOMENTS, "rolling")
    assert found.chosen == (0, 0, 1)
    assert found.sharpe(365) == pytest.approx(
        ratio(np.concatenate([RETURNS[0, 1], RETURNS[0, 2], RETURNS[1, 3]])) * np.sqrt(365)
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from(["anchored", "rolling"]), st.integers(2, 5))
def test_what_happens_in_a_fold_changes_no_choice_up_to_it(seed, scheme, fold):
    generator = np.random.default_rng(seed)
    moments = moments_of(generator.normal(0, 0.01, (6, 6, 20)))
    other = moments.copy()
    other[:, fold:] = moments_of(generator.normal(0.001, 0.02, (6, 6 - fold, 20)))
    assert select(other, scheme).chosen[:fold] == select(moments, scheme).chosen[:fold]


def test_noise_loses_what_it_showed_and_skill_keeps_it():
    noise = np.random.default_rng(8).normal(0, 0.01, (300, 6, 200))
    lost = select(moments_of(noise))
    assert lost.degradation(365) == pytest.approx((lost.in_sample.mean() - lost.out_of_sample.mean()) * np.sqrt(365))
    assert lost.degradation(365) > 1.5
    noise[5] += 0.004
    assert abs(select(moments_of(noise)).degradation(365)) < 1.0


def test_what_is_gone_of_next_to_nothing_is_not_much():
    flat = np.tile([0.01, -0.01], (1, 3, 40))
    flat[0, 0, 0] += 1e-9
    flat[0, 1:] += 0.001
    assert -2.0 < select(moments_of(flat), "rolling").degradation(365) < 0.0


def test_folds_before_the_first_only_choose():
    last = select(MOMENTS, first=3)
    assert (last.folds, last.chosen) == ((3,), (0,))
    assert last.bars == RETURNS.shape[2]
    assert select(MOMENTS, first=4) is None


def test_what_was_given_up_is_not_chosen():
    moments = MOMENTS.copy()
    moments[0, 2:] = np.nan
    found = select(moments)
    assert found.chosen[0] == 0
    assert 0 not in found.chosen[1:]


@pytest.mark.parametrize("moments", [np.empty((0, 3, 3)), np.zeros((2, 3, 3)), np.ones((2, 1, 3))])
def test_nothing_to_choose_from_is_no_selection(moments):
    assert select(moments) is None


def test_there_are_two_schemes():
    with pytest.raises(InvalidInput, match="anchored or rolling"):
        select(MOMENTS, "backwards")


def test_a_ratio_of_sums_is_the_ratio_of_the_returns():
    assert sharpes(MOMENTS).ravel().tolist() == pytest.approx([ratio(each) for row in RETURNS for each in row])
    assert np.isnan(sharpes(moments_of(np.full((1, 1, 9), 0.01)))).all()
    assert np.isnan(sharpes(np.array([1.0, 0.1, 0.01])))


def test_labels_that_reach_into_the_test_are_named():
    found = leaks([Fold((0, 100), (100, 150)), Fold((0, 90), (100, 150))], 10)
    assert [(leak.fold, leak.first, leak.last) for leak in found] == [(0, 90, 99)]
    assert "rows 90 to 99" in str(found[0])


def test_rows_after_a_test_leak_while_its_labels_reach_them():
    found = leaks([Fold((150, 300), (100, 150))], 10)
    assert [(leak.first, leak.last) for leak in found] == [(150, 159)]


@given(st.integers(200, 2_000), st.integers(2, 6), st.sampled_from(["anchored", "rolling"]), st.integers(0, 12))
def test_folds_purged_by_the_length_of_the_label_leak_nothing(rows, count, scheme, label_bars):
    made = folds(rows, count, scheme=scheme, purge_bars=label_bars, embargo_bars=0)
    assert leaks(made, label_bars) == ()
    kept = folds(rows, count, scheme=scheme, purge_bars=0, embargo_bars=0)
    assert len(leaks(kept, label_bars)) == (count if label_bars else 0)
