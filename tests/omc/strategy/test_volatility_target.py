"""The more a coin moves, the less of it is held."""

import numpy as np
import pytest

from omc.strategy.volatility_target import VolatilityTarget


def test_a_coin_that_moves_more_than_it_should_gets_as_much_less(tape):
    wild = [100.0, 101.0] * 10
    algorithm = VolatilityTarget(window_bars=4, target_volatility=0.5, exposure=0.8)
    weights = algorithm.predict(tape(wild, [7.0] * 20))
    volatility = np.std([0.01, 1 / 1.01 - 1] * 2) * np.sqrt(365 * 288)
    assert (weights[:4] == 0).all()
    assert weights[4:, 0] == pytest.approx(0.4 * 0.5 / volatility)
    assert (weights[4:, 1] == 0.4).all()
