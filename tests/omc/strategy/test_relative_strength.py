"""Relative strength buys weakness and sells strength."""

import numpy as np

from omc.strategy.relative_strength import RelativeStrength


def test_it_buys_when_the_index_is_low_and_sells_when_it_is_high(tape):
    falling, rising = np.linspace(200, 100, 60), np.linspace(101, 150, 20)
    weights = RelativeStrength(window_bars=2, hold_bars=40).predict(tape([*falling, *rising]))[:, 0]
    # The index sees 33 rows, is 0 while prices fall and jumps when they rise.
    assert (weights[:32] == 0).all()
    assert (weights[32:60] == 1).all()
    assert (weights[63:] == 0).all()
