import json
from dataclasses import asdict
from decimal import Decimal

import pytest

from omc.trading.execution import AT_ONCE, Execution, Routing, Style


@pytest.mark.parametrize(
    "execution",
    [AT_ONCE, Execution(Decimal("1000.50"), 7, 90.0, Style.VWAP, 30.0, 12.5, Routing.COST)],
    ids=["at once", "all of it"],
)
def test_what_is_stored_is_read_back(execution: Execution) -> None:
    assert Execution.told(json.loads(json.dumps(asdict(execution), default=str))) == execution


def test_what_was_stored_before_there_was_any_is_the_default() -> None:
    assert Execution.told({}) == AT_ONCE


def test_everything_is_off_by_default() -> None:
    assert (AT_ONCE.slice_above_aud, AT_ONCE.good_for_s, AT_ONCE.tolerance_bps) == (None, 0.0, None)
    assert AT_ONCE.routing is Routing.FEE


@pytest.mark.parametrize(
    "change",
    [
        {"slice_above_aud": Decimal(0)},
        {"slice_above_aud": Decimal("NaN")},
        {"slices": 1},
        {"slices": 101},
        {"over_s": -1.0},
        {"over_s": float("nan")},
        {"good_for_s": 86_401.0},
        {"good_for_s": float("inf")},
        {"tolerance_bps": -1.0},
        {"tolerance_bps": float("nan")},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Execution(**change)  # type: ignore[arg-type]
