"""An entry counts for so many rows, and an exit ends it."""

import numpy as np

from omc.strategy.signal import ENTER, LEAVE, held

NAN = float("nan")


def test_an_entry_is_held_for_its_bars_unless_it_is_renewed_or_ended(tape):
    signals = np.array([[0, ENTER, 0, 0, 0, ENTER, 0, ENTER, 0, 0, 0, ENTER, LEAVE, 0]], dtype=np.int8).T
    weights = held(tape([1.0] * 14), signals, 3, 0.5)
    assert (weights[:, 0] * 2).tolist() == [0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 0]


def test_a_coin_without_a_quote_is_wanted_again_when_the_quote_is_back(tape):
    signals = np.array([[ENTER, 0, 0, 0]], dtype=np.int8).T
    assert held(tape([1, NAN, 1, 1]), signals, 3, 1.0)[:, 0].tolist() == [1, 0, 1, 0]
