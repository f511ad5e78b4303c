"""Mean reversion buys what fell and sells what came back."""

from omc.strategy.mean_reversion import MeanReversion


def test_it_sells_after_its_hold_or_when_the_price_is_back(tape):
    crash = [10, 11] * 4 + [5]
    held = MeanReversion(window_bars=8, entry_z=2, exit_z=-5, hold_bars=3)
    assert held.predict(tape([*crash, 5, 5, 5, 5]))[:, 0].tolist() == [0] * 8 + [1, 1, 1, 0, 0]
    back = MeanReversion(window_bars=8, entry_z=2, exit_z=0, hold_bars=30)
    assert back.predict(tape([*crash, 6, 12, 5.5, 5.5]))[:, 0].tolist() == [0] * 8 + [1, 1, 0, 0, 0]
