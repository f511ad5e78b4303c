from dataclasses import replace
from decimal import Decimal

import pytest

from omc.trading.fill import Fill, Side
from omc.trading.order import Order
from omc.trading.slippage import beyond, slippage_bps
from tests.omc.trading.test_order import AT, INTENT

ARRIVAL = replace(INTENT, quote_price_aud=Decimal(100))


def filled(side: Side, *parts: tuple[str, str]) -> Order:
    """Of a price and a quantity each, one percent of fee on top or off."""
    fills = []
    for number, (price, quantity) in enumerate(parts):
        value = Decimal(price) * Decimal(quantity)
        fee = value / 100
        total = value + fee if side is Side.BUY else value - fee
        fills.append(Fill(f"f{number}", "BTC", side, Decimal(quantity), total, fee, AT))
    return Order(replace(ARRIVAL, side=side), fills=tuple(fills))


@pytest.mark.parametrize(
    ("side", "parts", "bps"),
    [
        (Side.BUY, [("101", "1")], "100.00"),
        (Side.BUY, [("99", "1")], "-100.00"),
        (Side.SELL, [("99", "1")], "100.00"),
        (Side.SELL, [("101", "1")], "-100.00"),
        (Side.BUY, [("100", "1"), ("102", "3")], "150.00"),
        (Side.BUY, [("100", "2")], "0.00"),
    ],
)
def test_slippage_is_against_the_arrival_price_without_fees(side: Side, parts: list[tuple[str, str]], bps: str) -> None:
    assert slippage_bps(filled(side, *parts)) == Decimal(bps)


def test_nothing_executed_slipped_nothing() -> None:
    assert slippage_bps(Order(ARRIVAL)) is None
    assert not beyond(Order(ARRIVAL), 0.0)


def test_what_is_tolerated_is_not_flagged() -> None:
    order = filled(Side.BUY, ("101", "1"))
    assert [beyond(order, tolerance) for tolerance in (None, 100.0, 99.99)] == [False, False, True]
