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
    assert (order.status, order.message) == (OrderStatus.REJECTED, "no funds")


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


RESTING = replace(SENT, intent=replace(INTENT, good_for_s=60.0), venue_order_id="v").become(OrderStatus.ACCEPTED)


@pytest.mark.parametrize(
    ("order", "rests"),
    [
        (RESTING, True),
        (replace(RESTING, status=OrderStatus.CANCELLING), True),
        (replace(RESTING, status=OrderStatus.REPLACING), True),
        (replace(RESTING, venue_order_id=None), False),
        (SENT, False),
        (replace(RESTING, status=OrderStatus.FILLED), False),
    ],
    ids=["on the book", "being cancelled", "being moved", "not known by an id", "sent", "filled"],
)
def test_what_rests_is_on_the_book_and_known_by_its_id(order: Order, rests: bool) -> None:
    assert outcome.rests(order) is rests


@pytest.mark.parametrize(
    ("before", "placed", "status"),
    [
        (OrderStatus.ACCEPTED, Placed("v", (filled("1"),), open=True), OrderStatus.PARTIAL),
        (OrderStatus.ACCEPTED, Placed("v", (filled("2"),), open=False), OrderStatus.FILLED),
        (OrderStatus.REPLACING, Placed("v", (), open=True), OrderStatus.ACCEPTED),
        (OrderStatus.REPLACING, Placed("v", (filled("1"),), open=True), OrderStatus.PARTIAL),
        (OrderStatus.CANCELLING, Placed("v", (filled("1"),), open=True), OrderStatus.CANCELLING),
        (OrderStatus.CANCELLING, Placed("v", (filled("2"),), open=False), OrderStatus.FILLED),
        (OrderStatus.ACCEPTED, Placed("v", (filled("1"),), open=False), OrderStatus.ACCEPTED),
    ],
)
def test_a_look_at_what_rests_makes_of_it_what_the_book_shows(
    before: OrderStatus, placed: Placed, status: OrderStatus
) -> None:
    order = outcome.seen(replace(RESTING, status=before), placed)
    assert (order.status, order.fills) == (status, placed.fills)


def test_a_limit_stands_where_the_book_shows_it() -> None:
    moving = replace(RESTING, status=OrderStatus.REPLACING, limit_aud=Decimal(9))
    shown = outcome.seen(moving, Placed("w", (), open=True, price_aud=Decimal(8)))
    assert (shown.limit_aud, shown.price_aud, shown.venue_order_id) == (Decimal(8), Decimal(8), "w")


@pytest.mark.parametrize(
    ("order", "status", "message"),
    [
        (replace(RESTING, status=OrderStatus.CANCELLING, message="asked"), OrderStatus.CANCELLED, "asked"),
        (
            replace(RESTING, status=OrderStatus.CANCELLING, message=outcome.TIME_OVER),
            OrderStatus.EXPIRED,
            "its time is over",
        ),
        (RESTING, OrderStatus.CANCELLED, "it left the venue's book and nobody here asked for it"),
    ],
    ids=["asked", "expired", "by itself"],
)
def test_what_is_off_the_book_says_why(order: Order, status: OrderStatus, message: str) -> None:
    ended = outcome.gone(order.filled_by((filled("1"),)))
    assert (ended.status, ended.message, ended.filled_quantity) == (status, message, 1)


@pytest.mark.parametrize(
    ("quantity", "why", "status"),
    [
        ("2", None, OrderStatus.FILLED),
        ("1", "its owner asked", OrderStatus.CANCELLED),
        ("1", outcome.TIME_OVER, OrderStatus.EXPIRED),
        ("1", None, OrderStatus.CANCELLED),
    ],
)
def test_an_order_in_slices_is_what_they_did(quantity: str, why: str | None, status: OrderStatus) -> None:
    parent = Order(INTENT, OrderStatus.SLICED, fills=(filled(quantity),))
    ended = outcome.in_parts(parent, message=why)
    assert (ended.status, ended.message) == (status, why)
