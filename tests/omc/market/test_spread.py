import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.spread import LARGEST_PRICE_AUD, PAGE_SPREAD_BPS, quotes_around, spread_bps, to_grid

UNITS = 100_000_000
BPS_RANGE = st.integers(0, 2_000)
LAST_UNITS = st.integers(1, int(LARGEST_PRICE_AUD) * UNITS)


@given(LAST_UNITS, BPS_RANGE)
def test_bid_and_ask_are_the_exact_integers_around_last(units, bps):
    bid, ask = quotes_around(np.array([units / UNITS]), bps)
    half = -(-units * bps // 20_000)
    assert bid[0] == max(units - half, 1) / UNITS
    assert ask[0] == (units + half) / UNITS
    assert 0 < bid[0] <= units / UNITS <= ask[0]


def test_a_bar_without_a_price_has_no_quote():
    bid, ask = quotes_around(np.array([np.nan, 1.0]), 100)
    assert np.isnan(bid[0])
    assert np.isnan(ask[0])
    assert (bid[1], ask[1]) == (0.995, 1.005)


@given(st.lists(st.floats(1e-8, 1e6), min_size=1, max_size=20))
def test_the_grid_has_eight_decimals_and_is_its_own_image(prices):
    on_grid = to_grid(np.array(prices))
    assert (to_grid(on_grid) == on_grid).all()
    assert [float(f"{price:.8f}") for price in on_grid] == list(on_grid)


def test_a_coin_with_a_market_trades_inside_the_page():
    assert spread_bps("BTC") == 71
    assert spread_bps("BTC", frozenset()) == 99
    assert all(spread_bps(coin, frozenset({coin})) < page for coin, page in PAGE_SPREAD_BPS.items())


@pytest.mark.parametrize(("coin", "expected"), [("SUI", 264), ("NEVERHEARDOF", 314)])
def test_a_coin_without_a_market_trades_at_the_page(coin, expected):
    assert spread_bps(coin) == expected
