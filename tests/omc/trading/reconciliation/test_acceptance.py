"""Accepting what the venue says makes our books claim just what it has, and invents neither gain nor loss of cash."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.errors import Conflict
from omc.market.money import ZERO
from omc.market.terms import Terms
from omc.portfolio.account import Account
from omc.trading.fill import Fill, Side
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.acceptance import Adjustment, Sharing, accepted
from omc.trading.reconciliation.books import CASH, less, ours, summed
from tests.cases.reconciliation_starts import intent

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)
MARKS = {"BTC": Decimal(100), "ETH": Decimal(10)}


def account(cash: str = "1000.00", **bought: str) -> Account:
    """An account that had `cash` left after it bought these coins at 50 each."""
    held = Account.opened_with(Decimal(cash) + sum((50 * Decimal(quantity) for quantity in bought.values()), ZERO))
    for coin, quantity in bought.items():
        fill = Fill(f"bought-{coin}", coin, Side.BUY, Decimal(quantity), 50 * Decimal(quantity), ZERO, NOON)
        held = held.apply(fill, Decimal(50))
    return held


def after(books: dict[UUID, Account], made: tuple[Adjustment, ...]) -> dict[UUID, Account]:
    return books | {each.deployment_id: each.of(books[each.deployment_id]) for each in made}


def accepts(
    books: Mapping[UUID, Account],
    balances: Mapping[str, Decimal],
    own: Mapping[str, Decimal],
    marks: Mapping[str, Decimal] = MARKS,
    **sharing: Any,
) -> tuple[Adjustment, ...]:
    shared = Sharing(books, **{"alone": False} | sharing)
    return accepted(shared, balances, own, marks, at=NOON, terms=Terms())


def under_way(of: UUID, side: Side, quantity: str, price_aud: str, filled: str = "0") -> Order:
    """A limit on BTC that rests on the book."""
    made = replace(intent(f"an order of {of.int}", quantity), deployment_id=of, side=side)
    fills = (Fill("part", "BTC", side, Decimal(filled), ZERO, ZERO, NOON),) if Decimal(filled) else ()
    return Order(replace(made, quote_price_aud=Decimal(price_aud)), OrderStatus.ACCEPTED, "v1", fills)


def test_what_an_order_under_way_may_still_sell_is_not_taken_from_under_it() -> None:
    books = {ONE: account(BTC="100"), TWO: account(BTC="60")}
    sale = under_way(ONE, Side.SELL, "100", "500", filled="10")
    balances = {CASH: Decimal(10_000), "BTC": Decimal(100)}
    made = accepts(books, balances, {}, under_way=(sale,))
    taken = {each.deployment_id: each.fills[0][0].quantity for each in made}
    # Ten of it were filled, and are not promised any more.
    assert taken == {ONE: Decimal(10), TWO: Decimal(50)}


def test_what_only_an_order_under_way_could_give_is_not_accepted_before_it_ends() -> None:
    books = {ONE: account(BTC="100"), TWO: account(BTC="60")}
    sale = under_way(ONE, Side.SELL, "100", "500")
    with pytest.raises(Conflict, match=r"^10 BTC more are missing than is free: an order of 1 must end first"):
        accepts(books, {CASH: Decimal(10_000), "BTC": Decimal(90)}, {}, under_way=(sale,))
    purchase = under_way(TWO, Side.BUY, "1", "900")
    books = {ONE: account("100.00"), TWO: account("1000.00")}
    made = accepts(books, {CASH: Decimal("950.00")}, {}, under_way=(purchase,))
    assert sum(each.deposited_aud for each in made) == Decimal("-150.00")
    assert {each.deployment_id: each.deposited_aud for each in made}[TWO] >= Decimal("-99.10")
    for alone in (False, True):
        with pytest.raises(Conflict, match="AUD more are missing than is free: an order of 2 must end first"):
            accepts({TWO: books[TWO]}, {CASH: Decimal("900.00")}, {}, under_way=(purchase,), alone=alone)


def test_coins_of_a_deployment_that_was_stopped_are_taken_out_and_its_cash_is_not_asked_for() -> None:
    books = {ONE: account("5000.00", BTC="100"), TWO: account("1000.00")}
    balances = {CASH: Decimal("1000.00"), "BTC": Decimal(25)}
    (made,) = accepts(books, balances, {}, retired=frozenset({ONE}))
    assert (made.deployment_id, made.fills[0][0].quantity, made.deposited_aud) == (ONE, Decimal(75), ZERO)


def law(held: Account) -> bool:
    result = held.realized_aud + held.unrealized_aud(MARKS) - held.fees_aud
    return result == held.equity_aud(MARKS) - held.deposited_aud


def test_coins_that_are_gone_are_sold_by_whoever_holds_most_of_them() -> None:
    books = {ONE: account(BTC="1"), TWO: account(BTC="3")}
    made = accepts(books, {CASH: Decimal(5000), "BTC": Decimal("0.5")}, {CASH: Decimal(3000)})
    sold = {each.deployment_id: each.fills[0][0] for each in made}
    assert {each: (fill.side, fill.quantity, fill.total_aud) for each, fill in sold.items()} == {
        TWO: (Side.SELL, Decimal(3), Decimal("300.00")),
        ONE: (Side.SELL, Decimal("0.5"), Decimal("50.00")),
    }
    assert [order.status.final for each in made for order in each.orders(UUID(int=9), "a test's")] == [True, True]


def test_cash_that_is_gone_is_withdrawn_and_no_loss() -> None:
    books = {ONE: account("1000.00"), TWO: account("3000.00")}
    made = accepts(books, {CASH: Decimal("3500.00")}, {})
    assert made == (Adjustment(TWO, (), Decimal("-500.00")),)
    left = made[0].of(books[TWO])
    assert (left.cash_aud, left.deposited_aud, left.realized_aud) == (Decimal("2500.00"), Decimal("2500.00"), ZERO)


def test_on_an_account_of_ours_alone_what_nobody_claims_is_bought_and_the_rest_of_the_cash_deposited() -> None:
    books = {ONE: account("1000.00", BTC="1")}
    balances = {CASH: Decimal("1234.56"), "BTC": Decimal(2), "DOGE": Decimal(7)}
    made = accepts(books, balances, {"DOGE": Decimal(7)}, alone=True)
    left = after(books, made)[ONE]
    assert ours(left) == {CASH: Decimal("1234.56"), "BTC": Decimal(2)}
    assert left.position("BTC").average_price_aud == 75
    assert law(left)


def test_what_agrees_is_left_alone() -> None:
    books = {ONE: account(BTC="1")}
    for alone in (True, False):
        assert accepts(books, ours(books[ONE]), {}, alone=alone) == ()


amounts = st.decimals(ZERO, Decimal(100_000), places=2)
coins = st.decimals(ZERO, Decimal(100), places=8)


@given(amounts, amounts, coins, coins, amounts, coins, coins, st.booleans(), st.booleans())
def test_our_books_claim_no_more_than_there_is_and_the_law_of_accounts_holds(
    cash: Decimal,
    more: Decimal,
    btc: Decimal,
    eth: Decimal,
    there: Decimal,
    btc_there: Decimal,
    eth_there: Decimal,
    alone: bool,
    quoted: bool,
) -> None:
    def held(amount: Decimal, **bought: Decimal) -> Account:
        return account(str(amount), **{coin: str(quantity) for coin, quantity in bought.items() if quantity})

    books = {ONE: held(cash, BTC=btc)} if alone else {ONE: held(cash, BTC=btc, ETH=eth), TWO: held(more, BTC=eth)}
    balances = {CASH: there, "BTC": btc_there, "ETH": eth_there}
    marks = MARKS if quoted else {}
    made = accepts(books, balances, {}, marks, alone=alone)
    assert made == accepts(books, balances, {}, marks, alone=alone)
    left = after(books, made)
    assert all(map(law, left.values()))
    claims = summed(*map(ours, left.values()))
    assert all(quantity >= 0 for quantity in less(balances, claims).values())
    if alone and quoted:
        assert claims == summed(balances)
    assert accepts(left, balances, less(balances, claims), marks, alone=alone) == ()
