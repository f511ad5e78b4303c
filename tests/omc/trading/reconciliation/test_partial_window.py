"""Of a history that is listed in part, what is taken leads to what the venue holds."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.trading.fill import Side
from omc.trading.reconciliation.partial_window import Adjustment, Step, adjusted
from omc.trading.reconciliation.synthetic import Held

NAME = "an account's BTC"


def fills(*signed: tuple[str, str]) -> list[Step]:
    return [
        Step(Side.SELL if quantity.startswith("-") else Side.BUY, abs(Decimal(quantity)), Decimal(price))
        for quantity, price in signed
    ]


@pytest.mark.parametrize(
    ("listed", "venue", "adjustment", "kept"),
    [
        ([], ("5", "10"), Adjustment.EMPTY, 0),
        ([("3", "10")], ("0", "0"), Adjustment.NONE, 1),
        ([("3", "10"), ("-1", "12")], ("2", "10"), Adjustment.NONE, 2),
        ([("3", "13"), ("-1", "14")], ("12", "10.9"), Adjustment.OPENING, 2),
        ([("-4", "9")], ("6", "8"), Adjustment.OPENING, 1),
        ([("5", "9"), ("-5", "9"), ("2", "11")], ("2", "11"), Adjustment.CURRENT, 1),
        ([("5", "9"), ("-8", "9.5")], ("-3", "9.5"), Adjustment.CURRENT, 1),
        ([("5", "9"), ("-5", "9"), ("2", "11")], ("3", "12"), Adjustment.REPLACED, 0),
        # No opening at any price leads to this average.
        ([("3", "100")], ("4", "1"), Adjustment.REPLACED, 0),
    ],
)
def test_a_window_is_made_whole(
    listed: list[tuple[str, str]], venue: tuple[str, str], adjustment: Adjustment, kept: int
) -> None:
    there = Held(*map(Decimal, venue))
    window = adjusted(NAME, fills(*listed), there)
    assert (window.adjustment, len(window.kept)) == (adjustment, kept)
    if adjustment not in (Adjustment.EMPTY, Adjustment.NONE):
        assert window.held.is_like(there)
    assert len(window.synthetic) == (adjustment in (Adjustment.OPENING, Adjustment.REPLACED))


amounts = st.decimals(Decimal("0.0001"), Decimal(1000), places=8)
prices = st.decimals(Decimal("0.5"), Decimal(5000), places=8)
steps = st.builds(Step, st.sampled_from(Side), amounts, prices)


@given(st.lists(steps, min_size=1, max_size=8), st.integers(0, 7), st.booleans())
def test_whatever_part_is_listed_it_leads_to_what_the_whole_led_to(history: list[Step], cut: int, short: bool) -> None:
    whole = Held()
    for each in history:
        whole = whole.after(each.side, each.quantity, each.price_aud)
    window = adjusted(NAME, history[cut:], whole)
    if window.adjustment is Adjustment.EMPTY or not whole.quantity:
        assert window.synthetic == ()
        return
    assert window.held.is_like(whole)
    assert window == adjusted(NAME, history[cut:], whole)
    if not cut:
        assert window.adjustment in (Adjustment.NONE, Adjustment.CURRENT)
