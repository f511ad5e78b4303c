"""A grid holds the more the lower the price stands."""

from omc.strategy.grid import Grid

NAN = float("nan")


def test_it_holds_in_steps_from_nothing_at_the_top_to_all_at_the_bottom(tape):
    prices = tape([10, 18, 10, 12.1, 14.1, 16.1, 18, NAN])
    weights = Grid(window_bars=5, levels=5, least_width=0.0).predict(prices)[:, 0]
    assert weights.tolist() == [0, 0, 0, 0, 0.5, 0.25, 0, 0]


def test_a_channel_without_height_or_too_narrow_to_pay_is_left_alone(tape):
    assert (Grid(window_bars=2, least_width=0.0).predict(tape([5.0] * 6)) == 0).all()
    narrow = tape([100, 100.5] * 3)
    assert (Grid(window_bars=2, least_width=0.02).predict(narrow) == 0).all()
    assert Grid(window_bars=2, least_width=0.001).predict(narrow)[:, 0].tolist() == [0, 0, 1, 0, 1, 0]
