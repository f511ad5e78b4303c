from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from omc.market.quote import Quote
from omc.market.terms import Terms
from omc.portfolio.position import Position
from omc.trading import outcome
from omc.trading.fill import Fill, Side
from omc.trading.order import Order, OrderStatus
from omc.trading.venue import Placed, Rejected
from tests.actors.mortal import START, deployment
from tests.omc.trading.test_order import INTENT

SENT = Order(INTENT, OrderStatus.SUBMITTED)


def filled(quantity: str, number: int = 1) -> Fill:
    return Fill(
        f"f{number}", "BTC", Side.BUY, Decimal(quantity), Decimal(1), Decimal(0), datetime(2025, 1, 1, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("fills", "still_open", "status"),
    [
        (("2",), False, OrderStatus.FILLED),
        (("1", "1"), True, OrderStatus.FILLED),
        (("1",), True, OrderStatus.PARTIAL),
        (("1",), False, OrderStatus.CANCELLED),
        ((), True, OrderStatus.ACCEPTED),
        ((), False, OrderStatus.CANCELLED),
    ],
    ids=["whole", "in parts", "working", "cut short", "resting", "nothing"],
)
def test_what_the_venue_says_makes_the_order(fills: tuple[str, ...], still_open: bool, status: OrderStatus) -> None:
    placed = Placed("v", tuple(filled(quantity, number) for number, quantity in enumerate(fills)), still_open)
    order = outcome.placed(SENT, placed)
    assert (order.status, order.venue_order_id, len(order.fills)) == (status, "v", len(fills))


def test_looking_again_at_an_order_that_has_not_moved_changes_nothing() -> None:
    partial = outcome.placed(SENT, Placed("v", (filled("1"),), open=True))
    assert outcome.placed(partial, Placed("v", (filled("1"),), open=True)) == partial


def test_a_refusal_fails_the_order_and_keeps_the_reason() -> None:
    order = outcome.placed(SENT, Rejected("no funds"))
    assert (order.status, order.message) == (OrderStatus.FAILED, "no funds")


def test_a_quote_stands_for_a_minute() -> None:
    assert outcome.is_fresh(INTENT, INTENT.quoted_at + timedelta(seconds=60))
    assert not outcome.is_fresh(INTENT, INTENT.quoted_at + timedelta(seconds=61))


def test_an_emergency_sale_sells_all_and_is_told_from_the_traders_own() -> None:
    quote = Quote("BTC", Decimal(9), Decimal(10), Decimal(9))
    position = replace(Position("BTC"), quantity=Decimal("1.5"))
    intent = outcome.liquidation(deployment(), position, quote, at=START, terms=Terms())
    assert (intent.side, intent.quantity, intent.quote_price_aud) == (Side.SELL, Decimal("1.5"), Decimal(9))
    assert outcome.is_liquidation(intent)
    assert not outcome.is_liquidation(INTENT)
