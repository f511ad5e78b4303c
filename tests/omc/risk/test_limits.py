from decimal import Decimal

import pytest

from omc.errors import InvalidInput
from omc.risk.limits import Bounds, Limits

OURS = Limits(Decimal(100), Decimal(200), Decimal(50), drawdown=Decimal("0.2"))


@pytest.mark.parametrize(
    "bad",
    [
        {"daily_loss_aud": 0},
        {"order_notional_aud": -1},
        {"gross_notional_aud": "NaN"},
        {"net_notional_aud": "Infinity"},
        {"drawdown": "1.01"},
        {"concentration": 2},
        {"orders_a_minute": "1.5"},
        {"losses_in_a_row": "many"},
        {"dayly_loss_aud": 5},
        {"cool_down_s": True},
    ],
    ids=str,
)
def test_what_is_no_limit_is_refused_by_name(bad: dict[str, object]):
    with pytest.raises(InvalidInput, match=r"limits: "):
        Bounds.of(bad)


def test_limits_are_read_back_as_they_were_told():
    assert Limits.of(OURS.told()) == OURS
    assert Bounds.of({}) == Bounds()
    assert Bounds.of({"drawdown": None}).set() == {}


def test_a_deployment_always_has_three():
    with pytest.raises(InvalidInput):
        Limits.of({"drawdown": "0.2"})
    assert OURS.changed(Bounds(daily_loss_aud=Decimal(5))).told() == {**OURS.told(), "daily_loss_aud": "5"}


def test_nothing_is_wider_than_what_is_allowed():
    most = Bounds(order_notional_aud=Decimal(100), cool_down_s=Decimal(60), gross_notional_aud=Decimal(5))
    assert OURS.within(most) is None
    assert OURS.within(Bounds(order_notional_aud=Decimal(99))) == "order_notional_aud is 100: at most 99"
    assert Bounds(cool_down_s=Decimal(60)).within(most) is None
    assert Bounds(cool_down_s=Decimal(59)).within(most) == "cool_down_s is 59: at least 60"
