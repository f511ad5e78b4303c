"""Tries add up, whichever way they are cut into sources, and weigh as much as the time that they were measured on."""

from math import isnan, nan
from statistics import mean, variance
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest.deflated import Deflated
from omc.promotion.trials import FEWEST_RETURNS, MemoryTries, Tally

DAY_S, A_YEAR = 86_400.0, 365
TRIES = st.lists(st.tuples(st.none() | st.floats(-50, 50), st.integers(0, 4_000)), max_size=30)


def daily(*sharpes: float | None, years: float = 1.0) -> Tally:
    """Of daily bars."""
    return Tally.of([nan if each is None else each for each in sharpes], years * A_YEAR, A_YEAR)


def tally_of(tries: list[tuple[float | None, int]]) -> Tally:
    """Of daily bars, a try by its ratio and number of returns."""
    ratios = [nan if sharpe is None else sharpe for sharpe, _ in tries]
    return Tally.of(ratios, [returns for _, returns in tries], A_YEAR)


def noise(generator: np.random.Generator, tries: int, returns: int, bars_per_year: float) -> Tally:
    """Ratios that so many returns without skill show."""
    draws = generator.standard_normal((tries, returns))
    ratios = draws.mean(axis=1) / draws.std(axis=1, ddof=1) * np.sqrt(bars_per_year)
    return Tally.of(ratios, returns, bars_per_year)


def test_what_failed_counts_and_has_no_sharpe():
    tally = daily(1.0, None, float("inf"), 3.0)
    assert (tally.tries, tally.measured, tally.mean_sharpe) == (4, 2, 2.0)
    assert tally.variance_sharpe == pytest.approx(2.0)


@pytest.mark.parametrize("sharpes", [[], [None], [1.5], [None, 1.5]], ids=str)
def test_one_figure_has_no_variance(sharpes):
    assert isnan(daily(*sharpes).variance_sharpe)
    assert isnan(daily(*sharpes).variance_at(1.0))


def test_a_ratio_of_a_few_returns_counts_as_a_try_and_says_nothing():
    few = Tally.of([1e9, 2.0], [FEWEST_RETURNS - 1, FEWEST_RETURNS], A_YEAR)
    assert (few.tries, few.measured, few.mean_sharpe) == (2, 1, 2.0)


@pytest.mark.parametrize("bars_per_year", [0.0, -1.0, nan, float("inf")])
def test_a_year_of_no_length_measures_nothing(bars_per_year):
    assert Tally.of([1.0, 2.0], 500, bars_per_year) == Tally(2)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30), st.floats(0.1, 10))
def test_of_tries_of_one_length_the_variance_is_the_sample_variance(sharpes, years):
    tally = daily(*sharpes, years=years)
    assert tally.mean_sharpe == pytest.approx(mean(sharpes), abs=1e-9)
    assert tally.variance_at(years) == pytest.approx(variance(sharpes), rel=1e-9, abs=1e-9)
    assert tally.variance_sharpe == pytest.approx(variance(sharpes), rel=1e-9, abs=1e-9)


def test_what_chance_alone_spreads_shrinks_with_the_time_and_what_is_more_does_not():
    generator = np.random.default_rng(1)
    chance = noise(generator, 2_000, 365, A_YEAR)
    assert chance.variance_at(1.0) == pytest.approx(1.0, rel=0.1)
    assert chance.variance_at(4.0) == pytest.approx(0.25, rel=0.25)
    different = daily(*generator.normal(0, 5, 2_000), years=1.0)
    assert different.variance_at(4.0) == pytest.approx(24.25, rel=0.1)


@pytest.mark.parametrize(("returns", "bars_per_year"), [(864, 105_120), (60, 105_120), (FEWEST_RETURNS, 105_120)])
@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0], ids="true spread {}".format)
def test_noise_on_tiny_windows_hardly_changes_what_is_left(returns, bars_per_year, spread):
    generator = np.random.default_rng(2)
    years = 2.0
    before = daily(*generator.normal(0, spread, 500), years=years)
    tiny = noise(generator, 500, returns, bars_per_year)
    assert tiny.measured == 500
    metrics = {"sharpe": 4 * spread, "skewness": 0.0, "kurtosis": 3.0, "bars": years * A_YEAR + 1}
    was, twice = before.variance_at(years), Tally(1_000, *_but_tries(before))
    alone, together = (Deflated.of(metrics, DAY_S, each) for each in (twice, before + tiny))
    assert (before + tiny).variance_at(years) == pytest.approx(was, rel=0.03)
    assert together.tries == alone.tries == 1_000
    assert together.probability == pytest.approx(alone.probability, abs=0.01)


def _but_tries(tally: Tally) -> tuple:
    return tally.measured, tally.mean_sharpe, tally.squares, tally.powers


@given(st.lists(TRIES, max_size=6))
def test_the_sum_of_tallies_is_the_tally_of_all(sources):
    exact = tally_of([each for source in sources for each in source])
    total = sum(map(tally_of, sources), Tally())
    assert (total.tries, total.measured) == (exact.tries, exact.measured)
    assert total.mean_sharpe == pytest.approx(exact.mean_sharpe, abs=1e-9)
    assert total.squares == pytest.approx(exact.squares, rel=1e-9, abs=1e-9)
    assert total.powers == pytest.approx(exact.powers)


@given(TRIES, TRIES)
def test_what_was_added_can_be_taken_away(kept, taken):
    left = tally_of(kept) + tally_of(taken) - tally_of(taken)
    exact = tally_of(kept)
    scale = 1 + sum(tally_of(taken).powers)
    assert (left.tries, left.measured) == (exact.tries, exact.measured)
    assert left.powers == pytest.approx(exact.powers, abs=1e-9 * scale)
    if exact.powers[1] * 1e3 > tally_of(taken).powers[1]:
        assert left.mean_sharpe == pytest.approx(exact.mean_sharpe, abs=1e-6)
        assert left.squares == pytest.approx(exact.squares, abs=1e-6 * scale)


async def test_a_try_that_went_on_counts_once():
    tries, mine, sweep = MemoryTries(), UUID(int=1), UUID(int=3)
    tries.count(mine, sweep, daily(1.0, None, 5.0))
    tries.count(mine, sweep, daily(2.0, 3.0), replaced=daily(1.0, None))
    tally = await tries.tally(mine)
    assert (tally.tries, tally.measured) == (3, 3)
    assert tally.mean_sharpe == pytest.approx(10 / 3)


async def test_tries_are_kept_by_algorithm():
    tries, mine, other = MemoryTries(), UUID(int=1), UUID(int=2)
    tries.count(mine, UUID(int=3), daily(1.0, 2.0))
    tries.count(mine, UUID(int=3), daily(3.0))
    tries.count(other, UUID(int=4), daily(None))
    found = await tries.tally(mine)
    assert (found.tries, found.measured, found.mean_sharpe) == (3, 3, pytest.approx(2.0))
    assert found.variance_sharpe == pytest.approx(1.0)
    assert (await tries.tally(other)).tries == 1
    assert await tries.tally(UUID(int=9)) == Tally()
