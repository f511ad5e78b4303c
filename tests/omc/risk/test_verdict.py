import pytest

from omc.risk.verdict import DenialReason, Denied, denial
from omc.trading.order import Order, OrderStatus
from tests.omc.trading.test_order import INTENT


@pytest.mark.parametrize("reason", list(DenialReason))
def test_a_denial_is_read_back_from_its_order(reason: DenialReason) -> None:
    denied = Denied(INTENT, reason, "51.20 of 50.00: too much")
    order = denied.of(Order(INTENT))
    assert order.status is OrderStatus.DENIED
    assert denial(order) == denied


def test_an_order_that_was_not_denied_has_no_denial() -> None:
    with pytest.raises(ValueError, match="was not denied"):
        denial(Order(INTENT))
