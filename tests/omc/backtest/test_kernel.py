"""The kernel makes the trades of a slow book-keeper who counts in decimals, and keeps its order of events."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, SELL, simulate
from omc.backtest.market import Market
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray
from omc.market.money import from_grid
from omc.market.terms import Terms
from omc.trading import sizing
from omc.trading.exits import Exits
from omc.trading.fill import Side
from omc.trading.settlement import settle

NAN = float("nan")


class Trade(NamedTuple):
    row: int
    coin: int
    side: Side
    quantity: Decimal
    total_aud: Decimal


def book_kept(  # noqa: C901
    market: Market, weights: FloatArray, costs: Costs, cash_aud: Decimal, stop_loss: float
) -> tuple[list[Trade], list[float], Decimal, list[Decimal]]:
    """The order of events once more, in plain Python, with the books in Decimal as the floor keeps them."""
    rows, coins = weights.shape
    cash, held = cash_aud, [Decimal(0)] * coins
    mark, opened = [NAN] * coins, [NAN] * coins
    targets, stopped = None, [False] * coins
    trades, curve = [], []

    def worth() -> float:
        return sizing.equity(float(cash), np.array([float(each) for each in held]), np.array(mark))

    for t in range(rows):
        for c in range(coins):
            if not np.isnan(market.bid[t, c]):
                mark[c] = market.bid[t, c]
        if targets is not None:
            before = worth()
            for side in (Side.SELL, Side.BUY):
                for c in range(coins):
                    bid, ask, fee = market.bid[t, c], market.ask[t, c], int(costs.fee_bps[c])
                    sized = (targets[c], before, float(held[c]), bid)
                    if side is Side.SELL:
                        amount = sizing.quantity_to_sell(*sized, costs.band, costs.min_order_aud)
                    else:
                        amount = sizing.quantity_to_buy(*sized, ask, fee, float(cash), costs.band, costs.min_order_aud)
                    if not amount:
                        continue
                    quantity, price = from_grid(amount), from_grid(bid if side is Side.SELL else ask)
                    total = settle(side, quantity, price, fee).total_aud
                    trades.append(Trade(t, c, side, quantity, total))
                    if side is Side.SELL:
                        cash, held[c] = cash + total, held[c] - quantity
                    else:
                        opened[c] = opened[c] if held[c] else float(price)
                        cash, held[c] = cash - total, held[c] + quantity
        for c in range(coins):
            if not np.isnan(market.close[t, c]):
                mark[c] = market.close[t, c]
            if weights[t, c] == 0:
                stopped[c] = False
            elif held[c] and not np.isnan(market.close[t, c]):
                stopped[c] = stopped[c]
        targets = [0.0 if stopped[c] else weights[t, c] for c in range(coins)]
        curve.append(worth())
    return trades, curve, cash, held


@st.composite
def markets(draw: st.DrawFn) -> tuple[Market, FloatArray]:
    rows, coins = draw(st.integers(1, 14)), draw(st.integers(1, 3))
    scale = [draw(st.sampled_from([1, 10**4, 10**8, 3 * 10**11, 10**13])) for _ in range(coins)]
    bid, ask, close = (np.full((rows, coins), NAN) for _ in range(3))
    candles = draw(st.booleans())
    for t in range(rows):
        for c in range(coins):
            if draw(st.integers(0, 7)):
                units = draw(st.integers(scale[c] // 2 + 1, 2 * scale[c]))
                spread = 0 if candles else draw(st.integers(0, scale[c] // 50))
                bid[t, c], ask[t, c] = units / 10**8, (units + spread) / 10**8
                close[t, c] = draw(st.integers(scale[c] // 2 + 1, 2 * scale[c])) / 10**8 if candles else bid[t, c]
    parts = draw(st.lists(st.sampled_from([0, 0, 1, 2, 5, 10]), min_size=rows * coins, max_size=rows * coins))
    weights = np.array(parts, float).reshape(rows, coins)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), draw(st.sampled_from([1, 10])))
    return Market(bid, ask, close), weights


@settings(deadline=None, max_examples=400)
@given(
    case=markets(),
    fees=st.lists(st.sampled_from([0, 10, 100]), min_size=3, max_size=3),
    min_order=st.sampled_from([0.0, 1.0, 25.0]),
    band=st.sampled_from([0.0, 0.02, 0.3]),
    cash=st.integers(1, 10**9),
    stop_loss=st.just(NAN),
)
def test_it_makes_the_book_keepers_trades(case, fees, min_order, band, cash, stop_loss):
    market, weights = case
    costs = Costs(np.array(fees[: weights.shape[1]]), min_order, band)
    cash_aud = Decimal(cash) / 100
    simulation = simulate(market, weights, costs, cash_aud=float(cash_aud), exits=Exits(stop_loss=stop_loss))
    trades, curve, cash_left, held = book_kept(market, weights, costs, cash_aud, stop_loss)
    sides = {Side.BUY: BUY, Side.SELL: SELL}
    assert [
        (int(made["row"]), int(made["coin"]), int(made["side"]), from_grid(made["quantity"]), made["total_aud"])
        for made in simulation.trades
    ] == [(each.row, each.coin, sides[each.side], each.quantity, float(each.total_aud)) for each in trades]
    assert simulation.cash[-1] == float(cash_left)
    assert list(simulation.holdings) == [float(each) for each in held]
    assert list(simulation.equity) == curve


def one_coin(*bids: float) -> Market:
    bid = np.array(bids).reshape(-1, 1)
    return Market(bid, bid, bid)


def weights(*values: float) -> FloatArray:
    return np.array(values).reshape(-1, 1)


FREE = Costs(np.array([0]), min_order_aud=0.0, band=0.0)


def test_a_decision_fills_at_the_first_row_after_it():
    simulation = simulate(one_coin(10, 20, 40, 80), weights(1, 1, 0, 0), FREE, cash_aud=100.0, exits=Exits())
    assert simulation.trades["row"].tolist() == [1, 3]
    assert simulation.trades["price_aud"].tolist() == [20, 80]
    assert simulation.equity.tolist() == [100, 100, 200, 400]
    assert simulation.cash.tolist() == [100, 0, 0, 400]


def test_an_unquoted_coin_waits_at_its_last_mark():
    simulation = simulate(one_coin(10, 10, NAN, 5), weights(1, 0, 0, 0), FREE, cash_aud=100.0, exits=Exits())
    assert simulation.trades["row"].tolist() == [1, 3]
    assert simulation.equity.tolist() == [100, 100, 100, 50]


def test_a_stopped_coin_stays_out_until_its_weight_has_been_zero():
    prices = one_coin(10, 10, 8, 8, 8, 8, 8)
    simulation = simulate(prices, weights(1, 1, 1, 1, 0, 1, 1), FREE, cash_aud=100.0, exits=Exits(stop_loss=0.1))
    assert simulation.trades["row"].tolist() == [1, 2, 6]
    assert simulation.trades["side"].tolist() == [BUY, SELL, BUY]


def test_a_candles_decision_fills_at_the_next_open_and_is_marked_at_its_close():
    market = Market.candles(
        *(np.array(prices).reshape(-1, 1) for prices in ([10.0, 20], [15.0, 30], [9.0, 20], [12.0, 30]))
    )
    simulation = simulate(market, weights(1, 0), FREE, cash_aud=100.0, exits=Exits())
    assert simulation.trades["price_aud"].tolist() == [20]
    assert simulation.equity.tolist() == [100, 150]


def test_more_trades_than_there_was_room_for_are_all_there():
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


def test_more_coins_than_cash_is_refused():
    two = np.full((2, 2), 10.0)
    with pytest.raises(InvalidInput, match="more coins than cash"):
        simulate(
            Market(two, two, two), np.full((2, 2), 0.6), Costs(np.array([0, 0]), 0.0, 0.0), cash_aud=1.0, exits=Exits()
        )


@pytest.mark.parametrize("cash", [0.0, -1.0, NAN])
def test_no_cash_is_refused(cash):
    with pytest.raises(InvalidInput, match="cash"):
        simulate(one_coin(10), weights(1), FREE, cash_aud=cash, exits=Exits())


def test_a_coin_worth_next_to_nothing_is_bought_as_far_as_its_quantity_can_be_counted():
    simulation = simulate(one_coin(1e-8, 1e-8, 1e-8), weights(1, 1, 1), FREE, cash_aud=1e7, exits=Exits())
    assert simulation.holdings.tolist() == [sizing.LARGEST_HOLDING]
    assert simulation.cash[-1] == 9_999_999.8


def test_costs_follow_the_venues_terms():
    costs = Costs.of(Terms(), ("BTC", "PEPE"), 0.02)
    assert costs.fee_bps.tolist() == [10, 100]
    assert costs.min_order_aud == 1.0
