from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from omc.errors import IllegalTransition
from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side
from omc.trading.order import _NEXT, UNSETTLED, Order, OrderIntent, OrderStatus, Turn, client_order_id

AT = datetime(2025, 1, 1, 0, 5, tzinfo=UTC)
INTENT = OrderIntent(
    "id", UUID(int=1), UUID(int=2), "BTC", Side.BUY, Decimal(2), OrderKind.MARKET, Decimal("1.005"), AT, AT, "why"
)


def fill(number: int, quantity: str = "1") -> Fill:
    return Fill(f"f{number}", "BTC", Side.BUY, Decimal(quantity), Decimal("1.01"), Decimal("0.01"), AT)


def test_every_status_has_its_row() -> None:
    assert set(_NEXT) == set(OrderStatus)


@pytest.mark.parametrize("start", list(OrderStatus))
@pytest.mark.parametrize("end", list(OrderStatus))
def test_only_the_moves_in_the_table_are_moves(start: OrderStatus, end: OrderStatus) -> None:
    order = Order(INTENT, start)
    if end in _NEXT[start]:
        assert order.become(end, message="so").status is end
    else:
        with pytest.raises(IllegalTransition):
            order.become(end)
        assert order == Order(INTENT, start)


def test_what_is_over_is_over() -> None:
    assert {str(status) for status in OrderStatus if status.final} == {
        "denied",
        "filled",
        "cancelled",
        "expired",
        "rejected",
    }


def test_whatever_was_sent_is_unsettled_until_it_is_over() -> None:
    never_sent = {OrderStatus.INTENT, OrderStatus.SLICED}
    assert {status for status in OrderStatus if not status.final} - never_sent == UNSETTLED


def test_only_what_surely_never_arrived_is_sent_again() -> None:
    before = {status for status in OrderStatus if OrderStatus.SUBMITTED in _NEXT[status]}
    assert before == {OrderStatus.INTENT, OrderStatus.UNKNOWN}


def test_a_fill_counts_once() -> None:
    order = Order(INTENT).filled_by((fill(1),)).filled_by((fill(1), fill(2)))
    assert order.filled_quantity == 2


def test_the_venues_id_is_not_forgotten() -> None:
    assert Order(INTENT).known_as("v").known_as(None).venue_order_id == "v"


def test_an_order_is_worth_whole_cents() -> None:
    assert INTENT.notional_aud == Decimal("2.01")


def test_its_name_says_what_it_does_and_when() -> None:
    names = [client_order_id(UUID(int=1), AT, "BTC", turn) for turn in Turn]
    bar = "00000000-0000-0000-0000-000000000001:20250101T000500Z:BTC"
    assert names == [f"{bar}:sell", f"{bar}:sell:exit-at-open", f"{bar}:buy", f"{bar}:sell:exit"]
    assert [turn.side for turn in Turn] == [Side.SELL, Side.SELL, Side.BUY, Side.SELL]


@pytest.mark.parametrize("change", [{"quantity": Decimal(0)}, {"quote_price_aud": Decimal(0)}], ids=["none", "free"])
def test_an_intent_for_nothing_is_refused(change: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match="not positive"):
        replace(INTENT, **change)  # type: ignore[arg-type]
