"""Every step has its sentence, or is told by the comparison itself."""

from decimal import Decimal

import pytest

from omc.trading.fill import Fill, Side
from omc.trading.listed import ListedFill, ListedOrder
from omc.trading.order import OrderStatus
from omc.trading.reconciliation.steps import (
    AddFills,
    AdoptFill,
    AdoptMovement,
    AdoptOrder,
    Hold,
    LookAgain,
    Settle,
    Short,
    Step,
    Surplus,
    Warn,
    sentence,
)
from tests.cases.reconciliation_starts import NOON

FILL = Fill("f", "BTC", Side.SELL, Decimal("0.50"), Decimal(50), Decimal(0), NOON)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Settle("o", OrderStatus.FILLED, (FILL,)), "order o is filled, with 1 fill that we had missed"),
        (Settle("o", OrderStatus.REJECTED), "order o is rejected"),
        (AddFills("o", (FILL,)), "order o had 1 fill that we had missed"),
        (AdoptFill(ListedFill(FILL)), "fill f (sell 0.50 BTC) is not ours"),
        (
            AdoptOrder(ListedOrder("v", "ETH", Side.BUY, Decimal(2), Decimal(1))),
            "open order v (buy 2 ETH) is not ours",
        ),
        (AdoptMovement("AUD", Decimal("10.00")), "10.00 AUD came by no order"),
        (AdoptMovement("AUD", Decimal("-10.00")), "-10.00 AUD went by no order"),
        (LookAgain("o", "why"), "order o: why"),
        (Hold("o", ()), "order o could be 0 things at the venue: a person must say which"),
        (Warn("told"), "told"),
        (Surplus("AUD", Decimal(1)), ""),
        (Short("AUD", Decimal(2), Decimal(1)), ""),
    ],
)
def test_a_step_in_words(step: Step, said: str) -> None:
    assert sentence(step) == said
