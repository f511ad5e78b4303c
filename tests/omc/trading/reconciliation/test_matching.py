from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from omc.errors import OutcomeUnknown
from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side
from omc.trading.listed import ListedFill, ListedOrder
from omc.trading.order import OrderIntent
from omc.trading.reconciliation.matching import match

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
NOBODY = UUID(int=0)
INTENT = OrderIntent(
    client_order_id="order-1",
    deployment_id=NOBODY,
    user_id=NOBODY,
    coin="BTC",
    side=Side.BUY,
    quantity=Decimal("2.00000000"),
    kind=OrderKind.MARKET,
    quote_price_aud=Decimal(100),
    quoted_at=NOW,
    decided_at=NOW,
    reason="test",
)
INSTANT = replace(INTENT, kind=OrderKind.INSTANT)


def listed(quantity="2", order_id="a", number=1, *, kind=OrderKind.MARKET, at=NOW, coin="BTC", side=Side.BUY):
    fill = Fill(f"{order_id}-{number}", coin, side, Decimal(quantity), Decimal(quantity) * 100, Decimal(0), at)
    return ListedFill(fill, kind, order_id)


def working(quantity="2", order_id="a", price="100", side=Side.BUY):
    return ListedOrder(order_id, "BTC", side, Decimal(quantity), Decimal(price))


def found(fills=(), orders=(), intent=INTENT, known=(), order_id=None):
    return match(intent, fills, orders, since=NOW, known=frozenset(known), venue_order_id=order_id)


def test_a_whole_fill_is_the_order():
    result = found([listed()])
    assert (result.venue_order_id, result.filled, result.working) == ("a", 2, None)


def test_several_fills_of_one_order_add_up():
    result = found([listed("0.5", number=2), listed("1.5", number=1)])
    assert [fill.fill_id for fill in result.fills] == ["a-1", "a-2"]
    assert result.filled == 2


def test_an_order_that_only_rests_is_the_order():
    result = found([], [working()])
    assert (result.fills, result.working.venue_order_id) == ((), "a")


def test_part_filled_and_part_resting_is_the_order():
    result = found([listed("0.5")], [working("1.5")])
    assert (result.filled, result.quantity) == (Decimal("0.5"), 2)


def test_part_filled_and_the_rest_cancelled_is_the_order():
    assert found([listed("0.5")]).filled == Decimal("0.5")


def test_no_trace_is_none():
    assert found() is None


@pytest.mark.parametrize(
    "fill",
    [
        listed(coin="ETH"),
        listed(side=Side.SELL),
        listed(kind=OrderKind.INSTANT),
        listed(at=NOW - timedelta(seconds=1)),
        listed("3"),
    ],
    ids=["coin", "side", "kind", "time", "too much"],
)
def test_a_fill_that_cannot_be_the_order_is_no_trace(fill):
    assert found([fill]) is None


@pytest.mark.parametrize("order", [working(price="99"), working(side=Side.SELL), working("1.5")])
def test_an_open_order_that_cannot_be_ours_is_no_trace(order):
    assert found([], [order]) is None


def test_fills_that_other_orders_own_never_count():
    assert found([listed()], known=["a-1"]) is None
    assert found([listed("1", number=1), listed("1", number=2)], known=["a-1"]) is None
    assert found([listed(order_id="a"), listed(order_id="b")], known=["a-1"]).venue_order_id == "b"


def test_two_that_could_be_it_are_an_unknown_outcome():
    with pytest.raises(OutcomeUnknown, match="order-1: 2 orders"):
        found([listed(order_id="a"), listed(order_id="b")])
    with pytest.raises(OutcomeUnknown):
        found([listed(order_id="a")], [working(order_id="b")])
    with pytest.raises(OutcomeUnknown):
        found([listed("0.5", "a"), listed("0.7", "b")])


def test_a_whole_account_goes_before_a_part():
    assert found([listed(order_id="a"), listed("0.5", "b")]).venue_order_id == "a"


def test_the_venues_own_id_settles_it():
    assert found([listed(order_id="a"), listed(order_id="b")], order_id="b").venue_order_id == "b"
    assert found([listed(order_id="a")], order_id="b") is None


def test_a_list_without_ids_is_matched_by_quantity():
    nameless = replace(listed(), venue_order_id=None, kind=None)
    assert found([nameless], order_id="b").filled == 2
    assert found([nameless]).venue_order_id is None


def test_an_instant_order_executes_whole_or_not_at_all():
    assert found([listed(kind=OrderKind.INSTANT)], intent=INSTANT).filled == 2
    assert found([listed("1.9", kind=OrderKind.INSTANT)], intent=INSTANT) is None
    assert found([], [working()], intent=INSTANT) is None
