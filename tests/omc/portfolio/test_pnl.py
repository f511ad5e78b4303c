"""Profit and loss: the same sum however it is cut."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.money import ZERO
from omc.portfolio.account import Account
from omc.portfolio.pnl import PnL, by_coin, replayed
from omc.trading.fill import Fill, Side
from omc.trading.settlement import settle

START = datetime(2025, 6, 1, tzinfo=UTC)


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    """Fills that a long-only account can have, in order."""
    held: dict[str, Decimal] = {}
    fills = []
    for number in range(draw(st.integers(0, 12))):
        coin = draw(st.sampled_from(["BTC", "DOGE"]))
        price = draw(st.decimals("0.001", "90000", places=8))
        sells = held.get(coin, ZERO) > 0 and draw(st.booleans())
        side = Side.SELL if sells else Side.BUY
        most = held[coin] if sells else Decimal(100)
        quantity = draw(st.decimals("0.00000001", most, places=8))
        held[coin] = held.get(coin, ZERO) + (-quantity if sells else quantity)
        paid = settle(side, quantity, price, 10)
        at = START + timedelta(minutes=5 * number)
        fills.append(Fill(f"fill-{number}", coin, side, quantity, paid.total_aud, paid.fee_aud, at))
    return fills


@given(histories(), st.decimals("0.001", "90000", places=8))
def test_what_was_earned_is_what_the_account_is_worth_more_than_it_began_with(fills: list[Fill], mark: Decimal):
    account = replayed(Decimal(10_000_000), fills)
    marks = {"BTC": mark, "DOGE": mark}
    total = sum(by_coin(account, marks).values(), PnL())
    assert total.total_aud == account.equity_aud(marks) - account.deposited_aud


@given(histories())
def test_what_is_realized_and_paid_in_fees_does_not_depend_on_marks(fills: list[Fill]):
    account = replayed(Decimal(10_000_000), fills)
    cheap = sum(by_coin(account, {"BTC": Decimal(1)}).values(), PnL())
    dear = sum(by_coin(account, {"BTC": Decimal(2), "DOGE": Decimal(9)}).values(), PnL())
    assert (cheap - dear).realized_aud == (cheap - dear).fees_aud == ZERO


def test_a_coin_without_a_mark_is_valued_at_its_cost():
    account = replayed(
        Decimal(1_000), [Fill("1", "BTC", Side.BUY, Decimal(1), Decimal("100.10"), Decimal("0.10"), START)]
    )
    assert by_coin(account, {}) == {"BTC": PnL(ZERO, ZERO, Decimal("0.10"))}
    assert by_coin(account, {"BTC": Decimal(120)})["BTC"].total_aud == Decimal("19.90")


def test_an_account_without_fills_earned_nothing():
    assert by_coin(Account.opened_with(Decimal(5)), {}) == {}


def test_selling_more_than_was_bought_is_no_history():
    with pytest.raises(ValueError, match="cannot sell"):
        replayed(Decimal(5), [Fill("1", "BTC", Side.SELL, Decimal(1), Decimal(1), ZERO, START)])
