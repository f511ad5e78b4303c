import numpy as np
import pytest

from omc.errors import InvalidInput
from omc.market.synthetic import synthetic_tape
from omc.market.tape import Tape


def test_history_and_floor_join_into_the_tape_without_overlap():
    tape = synthetic_tape(1, 10)
    history, floor = tape.split(3)
    assert len(history.frame) == tape.split_row(3) == 7 * 288
    assert (np.concatenate([history.frame.times, floor.frame.times]) == tape.frame.times).all()
    assert floor.source == tape.source


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf"), 9.5, 10, 400, 0.001])
def test_a_floor_that_the_tape_cannot_give_is_refused_with_the_figures(days):
    with pytest.raises(InvalidInput, match="days"):
        synthetic_tape(1, 10).split(days)


def test_one_bar_is_no_tape():
    tape = synthetic_tape(1, 1)
    with pytest.raises(InvalidInput, match="two bars"):
        Tape(tape.frame.rows(0, 1), "one bar").split(1)
