"""The crossover holds what rises."""

from omc.strategy.moving_average_crossover import MovingAverageCrossover

NAN = float("nan")


def test_it_holds_while_the_fast_mean_is_above_the_slow_one(tape):
    prices = tape([10, 10, 10, 11, 12, 8, 8, NAN, 9, 9, 9, 10])
    weights = MovingAverageCrossover(1, 3, exposure=0.5).predict(prices)
    assert weights[:, 0].tolist() == [0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0, 0, 0.5]


def test_the_entry_threshold_asks_for_more(tape):
    prices = tape([10, 10, 10.1, 12])
    assert MovingAverageCrossover(1, 2, entry_threshold=0.05).predict(prices)[:, 0].tolist() == [0, 0, 0, 1]


def test_each_coin_gets_its_part(tape):
    prices = tape([1, 2, 3], [3, 2, 1])
    assert MovingAverageCrossover(1, 2).predict(prices).tolist() == [[0, 0], [0.5, 0], [0.5, 0]]
