"""Decisions in pieces are the decisions at once, unless the code looked ahead."""

import numpy as np
import pytest

from omc.errors import InvalidInput
from omc.strategy.in_pieces import changed_rows, decide_in_pieces, named
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from tests.omc.adapters.sandbox_process.plain import walk


class Peeks(MovingAverageCrossover):
    """At the price `ahead` rows later, where there is one."""

    ahead = 1

    def predict(self, frame):
        weights = np.zeros(frame.last.shape)
        weights[: -self.ahead] = frame.last[self.ahead :] > frame.last[: -self.ahead]
        return weights / len(frame.coins)


@pytest.mark.parametrize("piece_bars", [None, 1, 2, 7, 255, 256, 257, 10_000])
def test_an_honest_algorithm_decides_the_same_to_the_bit(piece_bars):
    algorithm, frame = MovingAverageCrossover(fast_bars=3, slow_bars=40), walk(700, 2)
    weights = algorithm.predict(frame)
    assert decide_in_pieces(algorithm, frame, piece_bars).tobytes() == weights.tobytes()
    assert not len(changed_rows(decide_in_pieces(algorithm, frame, piece_bars), weights))


@pytest.mark.parametrize("ahead", [1, 5, 100])
def test_a_look_ahead_is_found(ahead):
    algorithm, frame = Peeks(), walk(2_000, 1)
    algorithm.ahead = ahead
    found = named(frame, changed_rows(decide_in_pieces(algorithm, frame), algorithm.predict(frame)))
    assert "looks ahead" in found
    assert "2025-01-0" in found


def test_a_memory_that_is_understated_is_found():
    class Forgetful(MovingAverageCrossover):
        @property
        def memory_bars(self):
            return 2

    algorithm, frame = Forgetful(fast_bars=3, slow_bars=100), walk(1_000, 1)
    assert len(changed_rows(decide_in_pieces(algorithm, frame), algorithm.predict(frame)))


def test_no_rows_and_no_pieces():
    algorithm = MovingAverageCrossover()
    assert decide_in_pieces(algorithm, walk(0, 2)).shape == (0, 2)
    with pytest.raises(InvalidInput):
        decide_in_pieces(algorithm, walk(5, 2), 0)
