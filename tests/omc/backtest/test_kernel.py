"""The kernel makes the trades of a slow book-keeper who counts in decimals, and keeps its order of events."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, SELL, Buffers, Simulation, simulate
from omc.backtest.market import Market
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray
from omc.market.terms import Terms
from omc.trading import sizing
from omc.trading.exits import Exits, Reason
from tests.omc.backtest import generated
from tests.omc.backtest.generated import NAN, Case, cases
from tests.omc.backtest.reference import Reference, decimal


def of_kernel(case: Case, *, skip_quiet: bool = True, buffers: Buffers | None = None) -> Simulation:
    return simulate(
        case.market,
        case.decisions,
        case.costs,
        cash_aud=case.cash_cents / 100,
        exits=case.exits,
        close_at_end=case.close_at_end,
        skip_quiet=skip_quiet,
        buffers=buffers,
    )


def assert_they_agree(case: Case) -> None:
    kernel = of_kernel(case)
    cash = Decimal(case.cash_cents) / 100
    slow = Reference(case.market, case.decisions, case.costs, cash, case.exits, case.close_at_end).play()
    made = [
        (row, coin, side, decimal(quantity), Decimal(round(total * 100)) / 100, decimal(price), Reason(reason).name)
        for row, coin, side, quantity, total, price, reason in kernel.trades.tolist()
    ]
    assert made == [tuple(trade) for trade in slow.trades]
    assert kernel.cash.tolist() == [float(cash) for cash in slow.cash_curve]
    assert kernel.holdings.tolist() == [float(coin.held) for coin in slow.coins]
    assert np.array_equal(np.round(kernel.equity, 8), np.round(slow.equity, 8))


@settings(deadline=None, max_examples=1_000)
@given(cases(ordered=False, rough=False))
def test_weights_under_the_floors_costs_make_the_book_keepers_trades(case: Case) -> None:
    assert_they_agree(case)


@settings(deadline=None, max_examples=1_000)
@given(cases(ordered=False, rough=True))
def test_weights_under_every_cost_and_limit_make_the_book_keepers_trades(case: Case) -> None:
    assert_they_agree(case)


@settings(deadline=None, max_examples=1_000)
@given(cases(ordered=True))
def test_orders_make_the_book_keepers_trades(case: Case) -> None:
    assert_they_agree(case)


def assert_nothing_is_missed(case: Case) -> None:
    quick, slow = of_kernel(case), of_kernel(case, skip_quiet=False)
    assert quick.trades.tobytes() == slow.trades.tobytes()
    assert quick.equity.tobytes() == slow.equity.tobytes()
    assert quick.cash.tobytes() == slow.cash.tobytes()
    assert quick.holdings.tobytes() == slow.holdings.tobytes()


@settings(deadline=None, max_examples=1_000)
@given(cases(most_coins=1))
def test_bars_that_are_skipped_would_have_done_nothing(case: Case) -> None:
    assert_nothing_is_missed(case)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans(), st.booleans())
def test_long_quiet_stretches_are_skipped_as_if_they_were_not(
    seed: int, candles: bool, rough: bool, held: bool
) -> None:
    rng = np.random.default_rng(seed)
    market = generated.markets(rng, 700, 1, 0.01, candles=candles, gaps=bool(rng.random() < 0.5), step=0.002)
    wanted = rng.choice([0.0, 0.6, 1.0], 700)
    changes = rng.random(700) < rng.choice([0.003, 0.03])
    wanted = wanted[np.maximum.accumulate(np.where(changes, np.arange(700), 0))].reshape(-1, 1)
    exits = generated.exits(rng) if held else Exits()
    costs = generated.costs(rng, 1, rough=rough, short=False)
    assert_nothing_is_missed(Case(market, wanted, costs, 1_000_000, exits, bool(rng.random() < 0.5)))


@settings(deadline=None, max_examples=50)
@given(st.lists(cases(), min_size=2, max_size=5))
def test_buffers_may_be_used_again(several: list[Case]) -> None:
    buffers = Buffers()
    for case in several:
        kept, alone = of_kernel(case, buffers=buffers), of_kernel(case)
        assert kept.trades.tobytes() == alone.trades.tobytes()
        assert kept.equity.tobytes() == alone.equity.tobytes()


def one_coin(*bids: float) -> Market:
    bid = np.array(bids).reshape(-1, 1)
    return Market(bid, bid, bid)


def weights(*values: float) -> FloatArray:
    return np.array(values).reshape(-1, 1)


FREE = Costs(np.array([0]), min_order_aud=0.0, band=0.0)


def test_a_decision_fills_at_the_first_row_after_it() -> None:
    simulation = simulate(one_coin(10, 20, 40, 80), weights(1, 1, 0, 0), FREE, cash_aud=100.0, exits=Exits())
    assert simulation.trades["row"].tolist() == [1, 3]
    assert simulation.trades["price_aud"].tolist() == [20, 80]
    assert simulation.equity.tolist() == [100, 100, 200, 400]
    assert simulation.cash.tolist() == [100, 0, 0, 400]


def test_an_unquoted_coin_waits_at_its_last_mark() -> None:
    simulation = simulate(one_coin(10, 10, NAN, 5), weights(1, 0, 0, 0), FREE, cash_aud=100.0, exits=Exits())
    assert simulation.trades["row"].tolist() == [1, 3]
    assert simulation.equity.tolist() == [100, 100, 100, 50]


def test_a_stopped_coin_stays_out_until_its_weight_has_been_zero() -> None:
    prices = one_coin(10, 10, 8, 8, 8, 8, 8)
    simulation = simulate(prices, weights(1, 1, 1, 1, 0, 1, 1), FREE, cash_aud=100.0, exits=Exits(stop_loss=0.1))
    assert simulation.trades["row"].tolist() == [1, 2, 6]
    assert simulation.trades["side"].tolist() == [BUY, SELL, BUY]


def told(simulation: Simulation) -> list[tuple[int, float, str]]:
    """(row, price, reason) of each trade."""
    trades = simulation.trades
    return [
        (row, price, Reason(why).name.lower())
        for row, price, why in zip(trades["row"], trades["price_aud"], trades["reason"], strict=True)
    ]


def test_the_rest_of_what_an_exit_sold_in_part_leaves_for_its_reason_though_the_algorithm_lets_go_of_it() -> None:
    prices = one_coin(10, 10, 8, 9, 9)
    market = Market(prices.bid, prices.ask, prices.close, volume=np.array([[20.0], [20], [8], [6], [20]]))
    slow = replace(FREE, volume_share=0.5)
    for wanted in (weights(1, 1, 1, 1, 1), weights(1, 1, 0, 0, 0)):
        made = simulate(market, wanted, slow, cash_aud=100.0, exits=Exits(stop_loss=0.1))
        assert told(made) == [(1, 10, "signal"), (2, 8, "stop_loss"), (3, 9, "stop_loss"), (4, 9, "stop_loss")]


@pytest.mark.parametrize(
    "exits", [Exits(stop_loss=0.1), Exits(trailing=0.15), Exits(time_stop_bars=3)], ids=["stop", "trailing", "time"]
)
def test_what_is_bought_on_top_of_dust_is_a_position_of_its_own(exits: Exits) -> None:
    prices = one_coin(100, 100, 100, 80, 80, 80, 80, 60)
    few = replace(FREE, min_order_aud=50.0)
    made = simulate(prices, weights(0.5, 0.004, 0.004, 0.5, 0.5, 0.5, 0.5, 0.5), few, cash_aud=1_000.0, exits=exits)
    assert made.trades["row"].tolist() == [1, 2, 4, 7]
    assert Reason(made.trades["reason"][-1]).name.lower() in ("stop_loss", "trailing_stop", "time_stop")


def test_a_short_that_eats_the_equity_is_closed_at_the_worst_of_the_bar_and_ends_the_books() -> None:
    bars = ([100.0, 100, 100, 90, 90], [100.0, 100, 210, 90, 90], [100.0, 100, 100, 90, 90], [100.0, 100, 150, 90, 90])
    market = Market.candles(*(np.array(prices).reshape(-1, 1) for prices in bars))
    wanted = weights(-1, -1, -1, -1, -1)
    made = simulate(market, wanted, replace(FREE, short=True), cash_aud=1_000.0, exits=Exits())
    assert told(made)[-1] == (2, 210, "liquidation")
    assert made.equity[2:].tolist() == made.cash[2:].tolist() == [-100] * 3
    assert made.holdings.tolist() == [0]


def test_a_candles_decision_fills_at_the_next_open_and_is_marked_at_its_close() -> None:
    market = Market.candles(
        *(np.array(prices).reshape(-1, 1) for prices in ([10.0, 20], [15.0, 30], [9.0, 20], [12.0, 30]))
    )
    simulation = simulate(market, weights(1, 0), FREE, cash_aud=100.0, exits=Exits())
    assert simulation.trades["price_aud"].tolist() == [20]
    assert simulation.equity.tolist() == [100, 150]


def test_more_trades_than_there_was_room_for_are_all_there() -> None:
    rows = 2_000
    simulation = simulate(
        one_coin(*[10.0] * rows), weights(*[1.0, 0.0] * (rows // 2)), FREE, cash_aud=1e4, exits=Exits()
    )
    assert simulation.trades["row"].tolist() == list(range(1, rows))
    assert set(simulation.equity) == {10_000.0}


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ([0.5, NAN], "row 1: a weight is not a finite number"),
        ([0.5, -0.1], "row 1: a weight lies outside 0 to 1"),
        ([1.5, 0.1], "row 0: a weight lies outside 0 to 1"),
    ],
)
def test_weights_that_cannot_be_traded_are_refused(wanted, reason):
    with pytest.raises(InvalidInput, match=reason):
        simulate(one_coin(10, 10), weights(*wanted), FREE, cash_aud=100.0, exits=Exits())


def test_more_coins_than_cash_is_refused() -> None:
    two = np.full((2, 2), 10.0)
    with pytest.raises(InvalidInput, match="more coins than cash"):
        simulate(
            Market(two, two, two), np.full((2, 2), 0.6), Costs(np.array([0, 0]), 0.0, 0.0), cash_aud=1.0, exits=Exits()
        )


@pytest.mark.parametrize("cash", [0.0, -1.0, NAN])
def test_no_cash_is_refused(cash):
    with pytest.raises(InvalidInput, match="cash"):
        simulate(one_coin(10), weights(1), FREE, cash_aud=cash, exits=Exits())


def test_a_coin_worth_next_to_nothing_is_bought_as_far_as_its_quantity_can_be_counted() -> None:
    simulation = simulate(one_coin(1e-8, 1e-8, 1e-8), weights(1, 1, 1), FREE, cash_aud=1e7, exits=Exits())
    assert simulation.holdings.tolist() == [sizing.LARGEST_HOLDING]
    assert simulation.cash[-1] == 9_999_999.8


def test_costs_follow_the_venues_terms() -> None:
    costs = Costs.of(Terms(), ("BTC", "PEPE"), 0.02)
    assert costs.fee_bps.tolist() == [10, 100]
    assert costs.min_order_aud == 1.0
