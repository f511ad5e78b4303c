"""A search goes on past points that end their sandboxes, and ends when there is no use in going on."""

from itertools import permutations

import numpy as np
import pytest

from omc.backtest.rounds import Outcome
from omc.backtest.tried import Failure
from tune_jobs.deaths import IN_A_ROW, MANY, MOST, Deaths


def outcome(first: int, lives: str) -> Outcome:
    """Of points from `first` on: a dot lives, a cross has died, an f failed by itself."""
    indices = np.arange(first, first + len(lives))
    died = tuple(first + at for at, how in enumerate(lives) if how == "x")
    failures = {first + at: Failure("it looped") for at, how in enumerate(lives) if how in "xf"}
    return Outcome(indices, 0, np.empty((len(lives), 1, 1)), np.empty((len(lives), 16, 3)), failures, died)


def told(*batches: str, points: int | None = None, order: tuple[int, ...] | None = None) -> list[str | None]:
    """What is said after each batch of one round, which come back in `order`."""
    firsts = np.cumsum([0, *map(len, batches)])
    deaths = Deaths(points or int(firsts[-1]))
    deaths.begin(np.arange(firsts[-1]))
    return [deaths.hopeless(outcome(int(firsts[at]), batches[at])) for at in order or range(len(batches))]


def test_some_that_die_between_others_end_nothing():
    assert told("..x..x", "xxxxx", "....", "xxxx.", "." * 40) == [None] * 5


def test_points_that_fail_by_themselves_are_no_deaths():
    assert told("f" * 300) == [None]


@pytest.mark.parametrize("batches", [("x" * IN_A_ROW,), ("...xxxxx", "x" * (IN_A_ROW - 5)), ("x",) * IN_A_ROW])
def test_many_in_a_row_end_it_with_a_sentence(batches):
    *before, last = told(*batches)
    assert before == [None] * len(before)
    assert last is not None
    assert f"points, {IN_A_ROW} of them in a row; at one of them: it looped" in last


def test_so_many_that_it_would_take_for_ever_end_it_too():
    *before, last = told(*["xx.."] * ((MANY + 1) // 2))
    assert before == [None] * len(before)
    assert last is not None
    assert last.startswith(f"the code ended its sandbox at {MANY} of {2 * MANY} points, too many to go on; ")


def test_as_many_among_many_more_do_not_until_there_are_too_many_all_the_same():
    *before, last = told(*["x."] * MOST, points=100_000)
    assert before == [None] * len(before)
    assert last is not None


@pytest.mark.parametrize(
    ("batches", "hopeless"),
    [(("..xx", "xxxx", "xxxx", "...."), True), (("xxxx", "..xx", "xxxx", "xx.x"), False)],
    ids=["in a row", "between others"],
)
def test_whoever_is_told_of_first_does_not_decide(batches, hopeless):
    ended = {any(told(*batches, order=order)) for order in permutations(range(len(batches)))}
    assert ended == {hopeless}


def test_neighbours_are_those_of_the_round():
    deaths = Deaths(1_000)
    deaths.begin(np.arange(0, 100, 7))
    died = tuple(range(0, 70, 7))
    failures = dict.fromkeys(died, Failure("it looped"))
    assert deaths.hopeless(Outcome(np.array(died), 0, np.empty((10, 1, 1)), np.empty((10, 1, 3)), failures, died))
