"""Tries add up, whichever way they are cut into sources."""

from math import isnan
from statistics import mean, variance
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.promotion.trials import MemoryTries, Tally

SHARPES = st.lists(st.none() | st.floats(-50, 50), max_size=30)


def test_what_failed_counts_and_has_no_sharpe():
    tally = Tally.of([1.0, None, float("nan"), 3.0])
    assert (tally.tries, tally.measured, tally.mean_sharpe, tally.variance_sharpe) == (4, 2, 2.0, 2.0)


@pytest.mark.parametrize("sharpes", [[], [None], [1.5], [None, 1.5]], ids=str)
def test_one_figure_has_no_variance(sharpes):
    assert isnan(Tally.of(sharpes).variance_sharpe)


@given(st.lists(SHARPES, max_size=6))
def test_the_sum_of_tallies_is_the_tally_of_all(sources):
    whole = [sharpe for source in sources for sharpe in source]
    total = sum(map(Tally.of, sources), Tally())
    known = [sharpe for sharpe in whole if sharpe is not None]
    assert (total.tries, total.measured) == (len(whole), len(known))
    if len(known) > 1:
        assert total.mean_sharpe == pytest.approx(mean(known), abs=1e-9)
        assert total.variance_sharpe == pytest.approx(variance(known), abs=1e-7)


@given(SHARPES, SHARPES)
def test_what_was_added_can_be_taken_away(kept, taken):
    left = Tally.of(kept) + Tally.of(taken) - Tally.of(taken)
    exact = Tally.of(kept)
    assert (left.tries, left.measured) == (exact.tries, exact.measured)
    assert left.mean_sharpe == pytest.approx(exact.mean_sharpe, abs=1e-9)
    assert left.squares == pytest.approx(exact.squares, abs=1e-6)


async def test_a_try_that_went_on_counts_once():
    tries, mine, sweep = MemoryTries(), UUID(int=1), UUID(int=3)
    tries.count(mine, sweep, [1.0, None, 5.0])
    tries.count(mine, sweep, [2.0, 3.0], replaced=[1.0, None])
    tally = await tries.tally(mine)
    assert (tally.tries, tally.measured) == (3, 3)
    assert tally.mean_sharpe == pytest.approx(10 / 3)


async def test_tries_are_kept_by_algorithm():
    tries, mine, other = MemoryTries(), UUID(int=1), UUID(int=2)
    tries.count(mine, UUID(int=3), [1.0, 2.0])
    tries.count(mine, UUID(int=3), [3.0])
    tries.count(other, UUID(int=4), [None])
    assert await tries.tally(mine) == Tally.of([1.0, 2.0, 3.0])
    assert (await tries.tally(other)).tries == 1
    assert await tries.tally(UUID(int=9)) == Tally()
