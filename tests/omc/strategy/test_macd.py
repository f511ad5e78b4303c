"""MACD holds a trend that gathers speed."""

import numpy as np

from omc.strategy.macd import Macd


def test_it_holds_while_the_trend_gathers_speed_and_not_while_it_slows_down(tape):
    bars = np.arange(200)
    hill = 1_000 - 0.1 * (bars - 150) ** 2
    algorithm = Macd(fast_bars=2, slow_bars=6, signal_bars=3)
    weights = algorithm.predict(tape(np.round(hill, 8), np.round(2_000 - hill, 8)))
    assert algorithm.memory_bars == 71
    assert (weights[:70] == 0).all()
    # The hill's slope falls all the way, that of the valley rises.
    assert (weights[70:] == [0, 0.5]).all()
