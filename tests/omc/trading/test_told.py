"""What the journal says of an account after fills."""

from datetime import UTC, datetime
from decimal import Decimal

from omc.portfolio.account import Account
from omc.trading.fill import Fill, Side
from omc.trading.told import moved_told, pnl_told, position_told

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
OPENED = Account.opened_with(Decimal("1000.00"))
BOUGHT = OPENED.apply(Fill("1", "BTC", Side.BUY, Decimal("0.001"), Decimal("100.10"), Decimal("0.1"), NOON), Decimal(1))
SOLD = BOUGHT.apply(Fill("2", "BTC", Side.SELL, Decimal("0.001"), Decimal("109.89"), Decimal("0.11"), NOON), Decimal(1))


def test_a_position_is_told_with_what_it_cost_and_earned():
    assert position_told(SOLD, "BTC") == {
        "coin": "BTC",
        "quantity": Decimal(0),
        "average_price_aud": Decimal(0),
        "cost_aud": Decimal(0),
        "realized_pnl_aud": Decimal("10.00"),
        "fees_aud": Decimal("0.21"),
    }


def test_what_was_earned_adds_up_with_the_cash():
    told = pnl_told(SOLD)
    earned = told["realized_pnl_aud"] - told["fees_aud"]
    assert told["cash_aud"] + told["cost_aud"] == told["deposited_aud"] + earned


def test_only_positions_that_moved_are_told():
    other = BOUGHT.apply(Fill("3", "ETH", Side.BUY, Decimal(1), Decimal(5), Decimal(0), NOON), Decimal(5))
    assert [(kind, data.get("coin")) for kind, data in moved_told(BOUGHT, other)] == [
        ("position", "ETH"),
        ("pnl", None),
    ]
    assert [kind for kind, _ in moved_told(BOUGHT, BOUGHT)] == ["pnl"]
