"""Rules for exits, and those that cannot be."""

import pytest

from omc.trading.exits import Exits

NAN = float("nan")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"stop_loss": 0.0}, "stop_loss must be a fraction"),
        ({"trailing": 1.0}, "trailing must be a fraction"),
        ({"trailing_offset": -0.1}, "trailing_offset must be 0 or more"),
        ({"take_profit": ((2, 0.1), (1, 0.2))}, "ages of take_profit must rise"),
        ({"take_profit": ((0, NAN),)}, "gains of take_profit must be numbers"),
        ({"time_stop_bars": -1}, "time_stop_bars must be 0 or more"),
    ],
)
def test_exits_that_cannot_be_are_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Exits(**wrong)  # type: ignore[arg-type]


def test_they_close_something_when_any_rule_is_set() -> None:
    assert not Exits().any
    assert Exits(take_profit=((0, 0.1),)).any
    assert Exits(time_stop_bars=1).any
