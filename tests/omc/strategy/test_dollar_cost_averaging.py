"""A cycle buys step by step, and begins again."""

from omc.strategy.dollar_cost_averaging import DollarCostAveraging

NAN = float("nan")


def test_it_buys_an_equal_part_at_each_step_and_begins_again_after_a_cycle(tape):
    # Midnight of 2025-01-01 is a multiple of a day.
    cycle = DollarCostAveraging(cycle_bars=288, purchases=4, exposure=0.8)
    weights = cycle.predict(tape([7.0] * 300))[:, 0]
    rows = [0, 71, 72, 143, 144, 216, 287, 288]
    assert weights[rows].round(9).tolist() == [0.2, 0.2, 0.4, 0.4, 0.6, 0.8, 0.8, 0.2]


def test_it_sees_nothing_but_the_time_and_whether_there_is_a_quote(tape):
    cycle = DollarCostAveraging(cycle_bars=288, purchases=288)
    prices = tape([1, NAN, 3], [4, 5, 6])
    assert cycle.memory_bars == 1
    assert (cycle.predict(prices) * 576).round(9).tolist() == [[1, 1], [0, 2], [3, 3]]
