"""Round trips, what they earned, and what trading cost."""

import json
from pathlib import Path

import numpy as np
import pytest

from omc.backtest import trips
from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, SELL, TRADE
from omc.feature.frame import Frame

CASES = Path(__file__).parents[4] / "shared" / "cases"
COSTS = Costs(np.array([10, 100]), 1.0, 0.02)


def trades_of(*rows) -> np.ndarray:
    trades = np.zeros(len(rows), TRADE)
    for at, name in enumerate(("row", "coin", "side", "quantity", "total_aud", "price_aud")):
        trades[name] = [row[at] for row in rows]
    return trades


@pytest.mark.shared
def test_a_round_trips_profit_is_what_the_fee_formula_says():
    path = CASES / "profit.json"
    if not path.exists():
        pytest.skip("the recorded inputs are not here")
    book = json.loads(path.read_text())
    opened = book["setup"]["amount"] * book["setup"]["open_rate"] * (1 + book["setup"]["fee_open"])
    seen = 0
    for row in book["rows"]:
        case = dict(zip(book["columns"], row, strict=True))
        if case["is_short"] or case["leverage"] != 1 or case["mode"] != "spot":
            continue
        closed = book["setup"]["amount"] * case["close_rate"] * (1 - case["fee_close"])
        made = trips.round_trips(
            trades_of((0, 0, BUY, 30.0, opened, 2.0), (1, 0, SELL, 30.0, closed, case["close_rate"])), 1
        )
        assert trips.profits(made)[0] == pytest.approx(case["profit_abs"], abs=1e-8)
        assert trips.gains(made)[0] == pytest.approx(case["profit_ratio"], abs=1e-8)
        seen += 1
    assert seen


TRADES = trades_of(
    (1, 0, BUY, 1.0, 100.0, 100.0),
    (2, 1, BUY, 2.0, 50.0, 25.0),
    (3, 0, BUY, 0.5, 60.0, 120.0),
    (4, 0, SELL, 1.0, 110.0, 110.0),
    (5, 0, SELL, 0.5, 65.0, 130.0),
    (6, 0, BUY, 1.0, 100.0, 100.0),
    (7, 0, SELL, 1.0, 90.0, 90.0),
)


def test_round_trips_end_when_none_of_the_coin_is_left():
    made = trips.round_trips(TRADES, 2)
    assert made.tolist() == [(0, BUY, 1, 5, 160, 175), (0, BUY, 6, 7, 100, 90)]
    assert trips.win_rate(made) == 0.5
    assert trips.profit_factor(made) == 1.5
    assert np.isnan(trips.profit_factor(made[:1]))
    assert trips.average_holding(made) == 2.5


def test_a_short_trip_is_opened_by_a_sale():
    made = trips.round_trips(trades_of((1, 0, SELL, 2.0, 200.0, 100.0), (3, 0, BUY, 2.0, 150.0, 75.0)), 1)
    assert made.tolist() == [(0, SELL, 1, 3, 150, 200)]
    assert trips.gains(made).tolist() == [0.25]


def test_a_trade_that_turns_a_position_around_ends_one_trip_and_begins_another():
    made = trips.round_trips(
        trades_of((1, 0, BUY, 1.0, 100.0, 100.0), (2, 0, SELL, 3.0, 330.0, 110.0), (5, 0, BUY, 2.0, 200.0, 100.0)),
        1,
    )
    assert made.tolist() == [(0, BUY, 1, 2, 100, pytest.approx(110)), (0, SELL, 2, 5, 200, pytest.approx(220))]


def test_what_a_trip_is_worth_has_more_than_one_measure():
    made = trips.round_trips(
        trades_of(
            (0, 0, BUY, 1.0, 100.0, 100.0),
            (1, 0, SELL, 1.0, 130.0, 130.0),
            (2, 0, BUY, 1.0, 100.0, 100.0),
            (3, 0, SELL, 1.0, 110.0, 110.0),
            (4, 0, BUY, 1.0, 100.0, 100.0),
            (5, 0, SELL, 1.0, 90.0, 90.0),
        ),
        1,
    )
    assert trips.expectancy(made) == pytest.approx(0.1)
    assert trips.payoff(made) == pytest.approx(2.0)
    assert trips.kelly(made) == pytest.approx(2 / 3 - (1 / 3) / 2)
    assert trips.sqn(made) == pytest.approx(0.1 / 0.2 * np.sqrt(3))


@pytest.mark.parametrize(
    "measure",
    [
        trips.win_rate,
        trips.profit_factor,
        trips.expectancy,
        trips.payoff,
        trips.sqn,
        trips.kelly,
        trips.average_holding,
    ],
)
def test_no_trips_have_no_measure(measure):
    assert np.isnan(measure(trips.round_trips(trades_of(), 1)))


def test_fees_are_inside_a_purchase_and_off_a_sale():
    trades = trades_of((1, 1, BUY, 1.0, 101.0, 100.0), (2, 0, SELL, 1.0, 99.9, 100.0))
    assert trips.fees(trades, COSTS) == pytest.approx(1.0 + 0.1)
    assert trips.turnover(trades, np.array([100.0, 100.0])) == pytest.approx(2.009)


def test_the_spread_is_half_of_it_a_trade_and_slippage_is_beyond_the_quote():
    times = np.datetime64("2026-01-01", "us") + np.arange(2) * np.timedelta64(300, "s")
    window = Frame(times, ("BTC",), np.array([[99.0], [99.0]]), np.array([[101.0], [101.0]]), np.full((2, 1), 100.0))
    trades = trades_of((0, 0, BUY, 2.0, 204.0, 102.0), (1, 0, SELL, 2.0, 199.0, 99.5))
    assert trips.spread(trades, window) == 4.0
    assert trips.slippage(trades, window) == 2.0 - 1.0
