from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.portfolio.account import Account
from omc.portfolio.position import Position
from omc.risk.book import RiskBook
from omc.risk.check import CHECKS, Exposure, day_result
from omc.risk.kill_switch import Halt
from omc.risk.limits import Limits
from omc.risk.verdict import Approved, DenialReason, Denied
from omc.trading.deployment import DeploymentStatus
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from tests.actors.mortal import START, USER
from tests.omc.trading.test_order import INTENT

BUY = replace(INTENT, quantity=Decimal(10), quote_price_aud=Decimal(10))
SELL = replace(BUY, side=Side.SELL)
HELD = Account(Decimal(1000), Decimal(1000), {"BTC": Position("BTC", quantity=Decimal(10), cost_aud=Decimal(100))})
FINE = Exposure(HELD, Limits(Decimal(100), Decimal(200), Decimal(50)), DeploymentStatus.ACTIVE, Decimal(0))
HALT = Halt(USER, START, "enough")
R = DenialReason


def reason(intent: OrderIntent, **changes: Any) -> DenialReason | None:
    verdict = RiskBook().assess(intent, replace(FINE, **changes))
    return verdict.reason if isinstance(verdict, Denied) else None


CASES: dict[str, tuple[OrderIntent, dict[str, Any], DenialReason | None]] = {
    "a buy within limits": (BUY, {}, None),
    "a sale within limits": (SELL, {}, None),
    "halted": (BUY, {"halt": HALT}, R.KILL_SWITCH),
    "halted, and a sale": (SELL, {"halt": HALT}, R.KILL_SWITCH),
    "halted, and sold out": (SELL, {"halt": HALT, "liquidating": True}, None),
    "paused": (BUY, {"status": DeploymentStatus.PAUSED}, R.NOT_ACTIVE),
    "paused, and a sale": (SELL, {"status": DeploymentStatus.PAUSED}, R.NOT_ACTIVE),
    "paused, and sold out": (SELL, {"status": DeploymentStatus.PAUSED, "liquidating": True}, None),
    "a cent too large": (replace(BUY, quantity=Decimal("10.001")), {}, R.ORDER_TOO_LARGE),
    "a large sale": (SELL, {"limits": Limits(Decimal(1), Decimal(1), Decimal(1))}, None),
    "a position too large": (
        BUY,
        {"limits": Limits(Decimal(100), Decimal("199.99"), Decimal(50))},
        R.POSITION_TOO_LARGE,
    ),
    "at the daily loss": (BUY, {"day_result_aud": Decimal(-50)}, R.DAILY_LOSS),
    "just above the daily loss": (BUY, {"day_result_aud": Decimal("-49.99")}, None),
    "a sale at the daily loss": (SELL, {"day_result_aud": Decimal(-5000)}, None),
    "the fee is missing": (BUY, {"account": replace(HELD, cash_aud=Decimal("100.09"))}, R.NOT_ENOUGH_CASH),
    "to the last cent": (BUY, {"account": replace(HELD, cash_aud=Decimal("100.10"))}, None),
    "more than is held": (replace(SELL, quantity=Decimal("10.00000001")), {}, R.NOT_HELD),
    "everything at once": (
        replace(BUY, quantity=Decimal(1000)),
        {"halt": HALT, "status": DeploymentStatus.STOPPED, "day_result_aud": Decimal(-5000)},
        R.KILL_SWITCH,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_book_says(case: tuple[OrderIntent, dict[str, Any], DenialReason | None]) -> None:
    intent, changes, expected = case
    assert reason(intent, **changes) is expected


def test_the_checks_are_made_in_their_stated_order() -> None:
    assert [check.__name__ for check in CHECKS] == [
        "kill_switch",
        "deployment_active",
        "order_size",
        "position_size",
        "daily_loss",
        "cash",
        "held",
    ]


def test_an_approval_carries_the_intent_and_a_denial_its_figures() -> None:
    assert RiskBook().assess(BUY, FINE) == Approved(BUY)
    denied = RiskBook().assess(replace(BUY, quantity=Decimal(11)), FINE)
    assert isinstance(denied, Denied)
    assert denied.message == "the order is worth 110.00 AUD, the limit is 100"


@given(st.decimals(0, 10, places=8).filter(bool), st.decimals(-10_000, 0, places=2))
def test_whatever_is_held_may_be_sold_whatever_was_lost(quantity: Decimal, lost: Decimal) -> None:
    assert reason(replace(SELL, quantity=quantity), day_result_aud=lost) is None


def test_gains_not_realized_excuse_no_loss() -> None:
    assert day_result(Decimal(-10), Decimal(100)) == -10
    assert day_result(Decimal(10), Decimal(-100)) == -90
