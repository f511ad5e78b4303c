import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.trading.sizing import (
    check_weights,
    equity,
    on_grid,
    quantity_to_buy,
    quantity_to_sell,
    settled_total,
)

NAN = float("nan")
weights = st.floats(0, 1)
amounts = st.integers(0, 10_000_000).map(lambda cents: cents / 100)
prices = st.integers(1, 10**13).map(lambda units: units / 1e8)
quantities = st.integers(0, 10**12).map(lambda units: units / 1e8)
bands = st.sampled_from([0.0, 0.01, 0.05])


@given(weights, amounts, quantities, prices, bands)
def test_never_more_is_sold_than_is_held(weight: float, worth: float, held: float, bid: float, band: float) -> None:
    quantity = quantity_to_sell(weight, worth, held, bid, band, 1.0)
    assert 0 <= quantity <= held
    assert quantity == on_grid(quantity)
    assert quantity == 0 or quantity * bid >= 1.0


@given(weights, amounts, quantities, prices, st.sampled_from([10, 100]), amounts)
def test_never_more_is_bought_than_the_cash_pays(
    weight: float, worth: float, held: float, price: float, fee: int, cash: float
) -> None:
    quantity = quantity_to_buy(weight, worth, held, price, price, fee, cash, 0.0, 1.0)
    assert quantity >= 0
    assert quantity == on_grid(quantity)
    assert quantity == 0 or settled_total(1, quantity, price, fee) <= cash


@given(weights, amounts, quantities, prices)
def test_no_coin_is_bought_and_sold_in_one_bar(weight: float, worth: float, held: float, price: float) -> None:
    sold = quantity_to_sell(weight, worth, held, price, 0.0, 1.0)
    bought = quantity_to_buy(weight, worth, held, price, price, 100, worth, 0.0, 1.0)
    assert sold == 0 or bought == 0


def test_a_weight_of_zero_sells_all() -> None:
    assert quantity_to_sell(0.0, 100.0, 1.23456789, 10.0, 0.5, 1.0) == 1.23456789


def test_within_the_band_nothing_is_traded() -> None:
    assert quantity_to_sell(0.5, 1000.0, 51.0, 10.0, 0.02, 1.0) == 0
    assert quantity_to_buy(0.5, 1000.0, 49.0, 10.0, 10.0, 10, 1000.0, 0.02, 1.0) == 0
    assert quantity_to_sell(0.5, 1000.0, 53.0, 10.0, 0.02, 1.0) > 0
    assert quantity_to_buy(0.5, 1000.0, 47.0, 10.0, 10.0, 10, 1000.0, 0.02, 1.0) > 0


def test_without_a_quote_nothing_is_traded() -> None:
    assert quantity_to_sell(0.0, 1000.0, 1.0, NAN, 0.0, 1.0) == 0
    assert quantity_to_buy(1.0, 1000.0, 0.0, NAN, NAN, 10, 1000.0, 0.0, 1.0) == 0


def test_equity_counts_what_is_held_at_its_mark_and_nothing_without_one() -> None:
    assert equity(10.0, np.array([2.0, 1.0, 0.0]), np.array([5.0, NAN, 7.0])) == 20.0


@pytest.mark.parametrize("bad", [[0.6, 0.6], [-0.1, 0.5], [1.1, 0.0], [NAN, 0.0], [np.inf, 0.0], [0.5]])
def test_unusable_weights_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="weight"):
        check_weights(np.array(bad), 2)


def test_weights_that_add_up_to_one_by_float_arithmetic_are_fine() -> None:
    check_weights(np.full(10, 0.1), 10)
