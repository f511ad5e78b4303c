"""A search goes on past points that end their sandboxes, and ends when there is no use in going on."""

import numpy as np
import pytest

from omc.backtest.rounds import Outcome
from omc.backtest.tried import Failure
from tune_jobs.deaths import IN_A_ROW, MANY, Deaths


def outcome(first: int, lives: str) -> Outcome:
    """Of points from `first` on: a dot lives, a cross has died, an f failed by itself."""
    indices = np.arange(first, first + len(lives))
    died = tuple(first + at for at, how in enumerate(lives) if how == "x")
    failures = {first + at: Failure("it looped") for at, how in enumerate(lives) if how in "xf"}
    return Outcome(indices, 0, np.empty((len(lives), 1, 1)), np.empty((len(lives), 16, 3)), failures, died)


def told(*batches: str) -> list[str | None]:
    deaths, first, said = Deaths(), 0, []
    for lives in batches:
        said.append(deaths.hopeless(outcome(first, lives)))
        first += len(lives)
    return said


def test_some_that_die_between_others_end_nothing():
    assert told("..x..x", "xxxxx", "....", "xxxx.", "." * 40) == [None] * 5


def test_points_that_fail_by_themselves_are_no_deaths():
    assert told("f" * 300) == [None]


@pytest.mark.parametrize("batches", [("x" * IN_A_ROW,), ("...xxxxx", "x" * (IN_A_ROW - 5)), ("x",) * IN_A_ROW])
def test_many_in_a_row_end_it_with_a_sentence(batches):
    *before, last = told(*batches)
    assert before == [None] * len(before)
    assert last is not None
    assert f"the last {IN_A_ROW} in a row; at the last of them: it looped" in last


def test_so_many_that_it_would_take_for_ever_end_it_too():
    *before, last = told(*["xx.."] * ((MANY + 1) // 2))
    assert before == [None] * len(before)
    assert last is not None
    assert last.startswith(f"the code ended its sandbox at {MANY} of {2 * MANY} points, too many to go on; ")


def test_as_many_among_many_more_do_not():
    assert told("." * 200, *["x."] * MANY) == [None] * (MANY + 1)
