from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omc.market.money import from_grid
from omc.trading.fill import Side
from omc.trading.settlement import settle
from omc.trading.sizing import settled_total

quantities = st.decimals("0.00000001", "1000000", places=8)
prices = st.decimals("0.00000001", "900000", places=8)
fees = st.sampled_from([0, 10, 100])
sides = st.sampled_from(list(Side))


def test_the_recorded_buy_of_200_dollars_shows_the_recorded_fee() -> None:
    price = Decimal(1)
    settled = settle(Side.BUY, Decimal("198.01980198"), price, 100)
    assert settled.total_aud == Decimal("200.00")
    assert settled.fee_ex_gst_aud == Decimal("1.80018002")
    assert settled.gst_aud == Decimal("0.18001800")


def test_a_sale_pays_its_gross_value_less_the_fee_in_cents() -> None:
    settled = settle(Side.SELL, Decimal("119.90"), Decimal(1), 100)
    assert settled.total_aud == Decimal("118.70")
    assert settled.fee_aud == Decimal("1.199")


@given(sides, quantities, prices, fees)
def test_the_floats_of_the_kernel_move_the_same_cents(side: Side, quantity: Decimal, price: Decimal, fee: int) -> None:
    total = settle(side, quantity, price, fee).total_aud
    if total > 9 * 10**13:
        return  # beyond what either promises
    sign = 1 if side is Side.BUY else -1
    assert from_grid(float(settled_total(sign, float(quantity), float(price), fee))) == total


@given(quantities, prices, fees)
def test_buying_and_selling_back_at_one_price_never_earns(quantity: Decimal, price: Decimal, fee: int) -> None:
    bought, sold = settle(Side.BUY, quantity, price, fee), settle(Side.SELL, quantity, price, fee)
    assert sold.total_aud <= bought.total_aud


@given(quantities, prices, fees)
def test_the_fee_has_its_tax_inside(quantity: Decimal, price: Decimal, fee: int) -> None:
    settled = settle(Side.BUY, quantity, price, fee)
    assert abs(settled.gst_aud * 10 - settled.fee_ex_gst_aud) <= Decimal("0.0000001")


def test_a_total_of_no_cents_is_no_cents() -> None:
    assert np.isclose(settled_total(1, 1e-8, 1e-8, 100), 0.0)
