"""The cash of a listed fill says whether an order of ours can have moved it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.errors import Ambiguous
from omc.market.terms import OrderKind, Terms
from omc.trading.fill import Fill, Side
from omc.trading.listed import ListedFill
from omc.trading.order import OrderIntent
from omc.trading.reconciliation.cash_movement import admissible, charged_as
from omc.trading.reconciliation.matching import match
from omc.trading.settlement import settle

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
TERMS = Terms()
PLACES = Decimal("0.00000001")


def intent(side: Side, kind: OrderKind, price: Decimal = Decimal(100), quantity: Decimal = Decimal(2)) -> OrderIntent:
    nobody = UUID(int=0)
    return OrderIntent("order-1", nobody, nobody, "BTC", side, quantity, kind, price, NOON, NOON, "a test's")


def fill(side: Side, quantity: Decimal, price: Decimal, kind: OrderKind, name: str = "f") -> Fill:
    paid = settle(side, quantity, price, TERMS.fee_bps_of(kind))
    return Fill(name, "BTC", side, quantity, paid.total_aud, paid.fee_aud, NOON)


prices = st.decimals(Decimal("0.0001"), Decimal(100_000), places=8)
quantities = st.decimals(Decimal("0.00000001"), Decimal(10_000), places=8)
sides, kinds = st.sampled_from(Side), st.sampled_from(OrderKind)


@given(sides, kinds, prices, quantities, st.decimals(Decimal(0), Decimal("0.05"), places=4))
def test_what_trades_at_its_price_or_better_is_admissible_and_charged_as_it_should_be(
    side: Side, kind: OrderKind, price: Decimal, quantity: Decimal, better: Decimal
) -> None:
    ours = intent(side, kind, price, quantity)
    rate = price * (1 - better) if side is Side.BUY else price * (1 + better)
    listed = fill(side, quantity, max(rate.quantize(PLACES), PLACES), kind)
    assert admissible(ours, listed, TERMS)
    assert charged_as(ours, listed, TERMS)


@pytest.mark.parametrize("side", Side)
def test_a_limit_never_trades_beyond_its_price(side: Side) -> None:
    beyond = Decimal(101) if side is Side.BUY else Decimal(99)
    assert not admissible(intent(side, OrderKind.MARKET), fill(side, Decimal(2), beyond, OrderKind.MARKET), TERMS)
    # What an instant order's threshold lets pass.
    assert admissible(intent(side, OrderKind.INSTANT), fill(side, Decimal(2), beyond, OrderKind.INSTANT), TERMS)
    far = Decimal(103) if side is Side.BUY else Decimal(97)
    assert not admissible(intent(side, OrderKind.INSTANT), fill(side, Decimal(2), far, OrderKind.INSTANT), TERMS)


@pytest.mark.parametrize("side", Side)
def test_the_fee_tells_the_two_ways_to_trade_apart(side: Side) -> None:
    for kind in OrderKind:
        for other in OrderKind:
            listed = fill(side, Decimal(2), Decimal(100), other)
            assert charged_as(intent(side, kind), listed, TERMS) == (kind is other)


def found(*fills: Fill) -> str | None:
    ours = intent(Side.BUY, OrderKind.INSTANT)
    result = match(ours, [ListedFill(each) for each in fills], (), since=NOON, known=frozenset())
    return result.fills[0].fill_id if result else None


def test_of_two_rows_alike_the_one_that_moved_our_cash_is_ours() -> None:
    ours = fill(Side.BUY, Decimal(2), Decimal(100), OrderKind.INSTANT, "ours")
    dear = fill(Side.BUY, Decimal(2), Decimal(110), OrderKind.INSTANT, "too dear")
    charged = fill(Side.BUY, Decimal(2), Decimal(100), OrderKind.MARKET, "charged otherwise")
    assert found(dear, ours) == found(charged, ours) == "ours"


def test_two_that_moved_the_same_cash_or_one_that_moved_another_need_a_person() -> None:
    ours = fill(Side.BUY, Decimal(2), Decimal(100), OrderKind.INSTANT, "ours")
    with pytest.raises(Ambiguous, match="2 orders"):
        found(ours, replace(ours, fill_id="its twin"))
    with pytest.raises(Ambiguous, match="moved other cash"):
        found(fill(Side.BUY, Decimal(2), Decimal(110), OrderKind.INSTANT))
