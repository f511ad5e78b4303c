from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest import trips
from omc.backtest.kernel import BUY, SELL, TRADE
from omc.market.money import ZERO
from omc.portfolio.round_trips import round_trips
from omc.trading.fill import Fill, Side
from omc.trading.settlement import settle

START = datetime(2025, 1, 1, tzinfo=UTC)
ONE = UUID(int=1)
COINS = ("BTC", "ETH")


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    held, fills = dict.fromkeys(COINS, ZERO), list[Fill]()
    for number in range(draw(st.integers(0, 30))):
        coin = draw(st.sampled_from(COINS))
        side = draw(st.sampled_from(Side)) if held[coin] else Side.BUY
        part = st.decimals("0.00000001", Decimal(100) if side is Side.BUY else held[coin], places=8)
        quantity = draw(st.just(held[coin]) | part if side is Side.SELL else part)
        settled = settle(side, quantity, draw(st.decimals("1", "100", places=8)), 100)
        held[coin] += quantity if side is Side.BUY else -quantity
        at = START + timedelta(hours=number)
        fills.append(Fill(str(number), coin, side, quantity, settled.total_aud, settled.fee_aud, at))
    return fills


@given(histories())
def test_they_begin_and_end_where_the_labs_do_and_earn_what_those_earn(fills: list[Fill]) -> None:
    trades = np.zeros(len(fills), TRADE)
    trades["row"] = np.arange(len(fills))
    trades["coin"] = [COINS.index(fill.coin) for fill in fills]
    trades["side"] = [BUY if fill.side is Side.BUY else SELL for fill in fills]
    trades["quantity"] = [float(fill.quantity) for fill in fills]
    trades["total_aud"] = [float(fill.total_aud) for fill in fills]
    labs = trips.round_trips(trades, len(COINS))
    ours = [trip for trip in round_trips((ONE, fill) for fill in fills) if trip.closed_at is not None]
    ours.sort(key=lambda trip: trip.closed_at or START)
    hours = [((trip.opened_at - START) // timedelta(hours=1), trip.duration // timedelta(hours=1)) for trip in ours]
    assert hours == [(each["opened"], each["closed"] - each["opened"]) for each in labs]
    assert np.allclose([float(trip.profit_aud()) for trip in ours], trips.profits(labs), atol=1e-6)
    assert [trip.coin for trip in ours] == [COINS[each["coin"]] for each in labs]


@given(histories(), st.randoms(use_true_random=False))
def test_every_fill_is_in_one_of_them_however_they_are_read(fills: list[Fill], random) -> None:
    owned = [(ONE, fill) for fill in fills]
    found = round_trips(owned)
    for side, paid in ((Side.BUY, "paid_aud"), (Side.SELL, "got_aud")):
        whole = sum((fill.total_aud for fill in fills if fill.side is side), ZERO)
        assert sum((getattr(trip, paid) for trip in found), ZERO) == whole
    again = [*owned, *owned[:3]]
    random.shuffle(again)
    assert round_trips(again) == found


def test_one_that_is_open_is_worth_what_its_coins_would_bring() -> None:
    bought = Fill("b", "BTC", Side.BUY, Decimal(2), Decimal(202), Decimal(2), START)
    sold = Fill("s", "BTC", Side.SELL, Decimal(1), Decimal(118), Decimal(1), START + timedelta(hours=1))
    (trip,) = round_trips([(ONE, bought), (ONE, sold)])
    assert (trip.closed_at, trip.held, trip.duration) == (None, 1, None)
    assert trip.profit_aud(Decimal(100)) == 16
    assert trip.gain(Decimal(100)) == 16 / 202
