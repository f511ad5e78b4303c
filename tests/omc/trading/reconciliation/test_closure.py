"""What is not sent for an account that is closed, and what is all the same."""

from dataclasses import replace
from decimal import Decimal

import pytest

from omc.risk.verdict import DenialReason
from omc.trading.fill import Side
from omc.trading.reconciliation.closure import Closure
from tests.cases.reconciliation_starts import intent

SHORT = Closure("BTC: our books claim 3, the venue holds 2", {"BTC": Decimal(2)})


@pytest.mark.parametrize(
    ("closure", "side", "quantity", "coin", "reason"),
    [
        (Closure(), Side.BUY, "1", "BTC", None),
        (Closure(), Side.SELL, "9", "BTC", None),
        (SHORT, Side.BUY, "1", "ETH", DenialReason.ACCOUNT_CLOSED),
        (SHORT, Side.SELL, "9", "ETH", None),
        (SHORT, Side.SELL, "2", "BTC", None),
        (SHORT, Side.SELL, "2.00000001", "BTC", DenialReason.ACCOUNT_CLOSED),
        (Closure(left={"BTC": Decimal(2)}), Side.SELL, "3", "BTC", None),
        (Closure(doubted={"BTC": "why"}), Side.BUY, "1", "BTC", DenialReason.UNRESOLVED),
        (Closure(doubted={"BTC": "why"}), Side.BUY, "1", "ETH", None),
        (Closure(doubted={"BTC": "why"}), Side.SELL, "1", "BTC", None),
    ],
)
def test_getting_out_of_what_is_there_stays_allowed(
    closure: Closure, side: Side, quantity: str, coin: str, reason: DenialReason | None
) -> None:
    denied = closure.denied(replace(intent(quantity=quantity), side=side, coin=coin))
    assert (denied.reason if denied else None) == reason


def test_an_account_that_is_open_is_nothing() -> None:
    assert not Closure()
    assert not Closure(left={"BTC": Decimal(2)})
    assert SHORT
    assert Closure(doubted={"BTC": "why"})
