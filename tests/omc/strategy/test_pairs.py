"""A pair rotates into its cheap one."""

from omc.strategy.pairs import Pairs

NAN = float("nan")


def test_it_holds_the_cheap_one_until_the_ratio_is_back(tape):
    steady, swinging = [10.0] * 14, [10, 10.1] * 4 + [8, 8.2, 10, 12.5, 12.4, 10.2]
    algorithm = Pairs(window_bars=8, entry_z=1.8, exit_z=0.5, hold_bars=20)
    weights = algorithm.predict(tape(steady, swinging))
    assert weights.tolist() == [[0, 0]] * 8 + [[0, 1], [0, 1], [0, 0], [1, 0], [1, 0], [0, 0]]


def test_without_a_quote_of_both_neither_is_held(tape):
    steady, swinging = [10.0] * 12, [10, 10.1] * 4 + [8, 8.2, NAN, 8]
    weights = Pairs(window_bars=8, entry_z=2, exit_z=0.5, hold_bars=20).predict(tape(steady, swinging))
    assert weights[8:].tolist() == [[0, 1], [0, 1], [0, 0], [0, 0]]
