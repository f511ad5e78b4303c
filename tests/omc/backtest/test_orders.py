"""Orders fill at the prices that they wait for, and only when the market comes to them."""

import numpy as np
import pytest

from omc.backtest.cost import Costs
from omc.backtest.kernel import simulate
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray
from omc.trading.exits import Exits, Reason

NAN = float("nan")
COSTS = Costs(np.array([0]), 0.0, 0.0, short=True)
Bars = list[tuple[float, float, float, float]]
QUIET = (100.0, 101.0, 99.0, 100.0)


def column(*values: float) -> FloatArray:
    return np.array(values, np.float64).reshape(-1, 1)


def traded(
    bars: Bars, targets: list[float], *, at_close: bool = False, **prices: list[float]
) -> list[tuple[int, float, str]]:
    """(row, price, reason) of each trade."""
    market = Market.candles(*(column(*(bar[at] for bar in bars)) for at in range(4)))
    columns = {name: column(*values) for name, values in prices.items()}
    orders = Orders(column(*targets), **columns, at_close=at_close)
    made = simulate(market, orders, COSTS, cash_aud=10_000.0, exits=Exits()).trades
    return [(int(each["row"]), float(each["price_aud"]), Reason(int(each["reason"])).name) for each in made]


def test_a_target_is_traded_once_and_what_is_left_alone_is_not_rebalanced() -> None:
    bars: Bars = [QUIET, QUIET, (150.0, 150.0, 150.0, 150.0), QUIET]
    assert traded(bars, [0.5, NAN, NAN, NAN]) == [(1, 100.0, "SIGNAL")]


def test_a_limit_fills_at_a_better_open() -> None:
    assert traded([QUIET, QUIET], [1.0, NAN], limits=[102.0, NAN]) == [(1, 100.0, "SIGNAL")]
    assert traded([QUIET, QUIET], [1.0, NAN], limits=[100.0, NAN]) == [(1, 100.0, "SIGNAL")]


def test_a_limit_inside_a_bar_fills_only_when_it_is_passed() -> None:
    assert traded([QUIET, QUIET], [1.0, NAN], limits=[99.0, NAN]) == []
    assert traded([QUIET, QUIET], [1.0, NAN], limits=[99.01, NAN]) == [(1, 99.01, "SIGNAL")]
    assert traded([QUIET, QUIET], [-1.0, NAN], limits=[101.0, NAN]) == []
    assert traded([QUIET, QUIET], [-1.0, NAN], limits=[100.5, NAN]) == [(1, 100.5, "SIGNAL")]


def test_an_order_works_until_another_one_takes_its_place() -> None:
    bars: Bars = [QUIET, QUIET, QUIET, (98.0, 99.0, 90.0, 95.0)]
    assert traded(bars, [1.0, NAN, NAN, NAN], limits=[95.0, NAN, NAN, NAN]) == [(3, 95.0, "SIGNAL")]
    assert traded(bars, [1.0, 0.0, NAN, NAN], limits=[95.0, NAN, NAN, NAN]) == []


def test_a_trigger_fills_where_it_is_touched_or_at_the_open_beyond() -> None:
    assert traded([QUIET, QUIET], [1.0, NAN], triggers=[101.0, NAN]) == [(1, 101.0, "SIGNAL")]
    assert traded([QUIET, QUIET], [1.0, NAN], triggers=[101.5, NAN]) == []
    assert traded([QUIET, (103.0, 104.0, 99.0, 100.0)], [1.0, NAN], triggers=[101.0, NAN]) == [(1, 103.0, "SIGNAL")]
    assert traded([QUIET, QUIET], [-1.0, NAN], triggers=[99.5, NAN]) == [(1, 99.5, "SIGNAL")]


def test_a_trigger_beyond_its_limit_becomes_a_limit_order() -> None:
    bars: Bars = [QUIET, (100.0, 102.0, 99.0, 101.5), (101.0, 101.5, 98.0, 99.0)]
    assert traded(bars, [1.0, NAN, NAN], triggers=[101.0, NAN, NAN], limits=[100.0, NAN, NAN]) == [(2, 100.0, "SIGNAL")]


def test_a_triggered_entry_may_reach_its_target_in_the_same_bar() -> None:
    bars: Bars = [(110.0, 112.0, 109.0, 111.0), (111.24, 111.6, 103.57, 104.87)]
    made = traded(bars, [-1.0, NAN], triggers=[108.0, NAN], stops=[113.0, NAN], takes=[105.0, NAN])
    assert made == [(1, 108.0, "SIGNAL"), (1, 105.0, "TAKE_PROFIT")]


def test_after_a_limit_entry_only_the_close_is_known_to_come_later() -> None:
    fell: Bars = [QUIET, (100.0, 108.0, 95.0, 97.0), QUIET]
    rose: Bars = [QUIET, (100.0, 108.0, 95.0, 107.0), QUIET]
    limits, takes = [96.0, NAN, NAN], [105.0, NAN, NAN]
    assert traded(fell, [1.0, NAN, NAN], limits=limits, takes=takes) == [(1, 96.0, "SIGNAL")]
    assert traded(rose, [1.0, NAN, NAN], limits=limits, takes=takes) == [(1, 96.0, "SIGNAL"), (1, 105.0, "TAKE_PROFIT")]
    stopped = traded(rose, [1.0, NAN, NAN], limits=[96.0, NAN, NAN], stops=[95.5, NAN, NAN])
    assert stopped == [(1, 96.0, "SIGNAL"), (1, 95.5, "STOP_LOSS")]


def test_a_stop_may_be_moved_while_the_position_is_left_alone() -> None:
    bars: Bars = [QUIET, QUIET, QUIET, (100.0, 101.0, 97.0, 98.0)]
    assert traded(bars, [1.0, NAN, NAN, NAN], stops=[90.0, NAN, NAN, NAN]) == [(1, 100.0, "SIGNAL")]
    moved = traded(bars, [1.0, NAN, NAN, NAN], stops=[90.0, NAN, 98.5, NAN])
    assert moved == [(1, 100.0, "SIGNAL"), (3, 98.5, "STOP_LOSS")]


def test_a_close_may_be_traded_at() -> None:
    bars: Bars = [(100.0, 106.0, 99.0, 105.0), (107.0, 108.0, 90.0, 95.0), QUIET]
    made = traded(bars, [1.0, NAN, 0.0], at_close=True, stops=[92.0, NAN, NAN])
    assert made == [(0, 105.0, "SIGNAL"), (1, 92.0, "STOP_LOSS")]


def test_at_the_end_whatever_is_open_leaves_at_the_last_open() -> None:
    bars: Bars = [QUIET, QUIET, (104.0, 120.0, 100.0, 119.0)]
    market = Market.candles(*(column(*(bar[at] for bar in bars)) for at in range(4)))
    done = simulate(market, column(1, 1, 1), COSTS, cash_aud=10_000.0, exits=Exits(), close_at_end=True)
    assert [Reason(int(each)) for each in done.trades["reason"]] == [Reason.SIGNAL, Reason.END]
    assert done.equity.tolist() == [10_000.0, 10_000.0, 10_400.0]
    late = simulate(market, column(0, 1, 1), COSTS, cash_aud=10_000.0, exits=Exits(), close_at_end=True)
    assert not len(late.trades)


def test_prices_of_another_shape_and_infinite_targets_are_refused() -> None:
    with pytest.raises(ValueError, match="limits has shape"):
        Orders(column(1, 1), limits=column(1))
    with pytest.raises(InvalidInput, match="row 1"):
        traded([QUIET, QUIET], [1.0, np.inf])
