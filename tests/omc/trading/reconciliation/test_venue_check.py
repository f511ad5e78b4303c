"""A report of an account is used whole or not at all."""

from dataclasses import replace
from decimal import Decimal

import pytest

from omc.errors import Unavailable
from omc.trading.fill import Fill, Side
from omc.trading.listed import ListedFill, ListedOrder, VenueReport
from omc.trading.reconciliation.venue_check import checked, repeats
from tests.cases.reconciliation_starts import NOON

CASH = Decimal(1_000)
FILL = Fill("v1-1", "BTC", Side.BUY, Decimal(2), Decimal("200.20"), Decimal("0.20"), NOON)
ROW = ListedFill(FILL, None, "v1")
RESTING = ListedOrder("w", "BTC", Side.BUY, Decimal(1), Decimal(1))
REPORT = VenueReport(NOON, {"AUD": CASH, "BTC": Decimal(2)}, (RESTING,), (ROW,))
NAN = Decimal("NaN")


def broken(**changes: object) -> ListedFill:
    """A row that no `Fill` would let pass."""
    row = replace(ROW, fill=replace(FILL))
    for name, value in changes.items():
        object.__setattr__(row.fill, name, value)
    return row


def test_what_is_right_is_left_as_it_is() -> None:
    assert checked(REPORT) == (REPORT, ())


def test_a_row_that_is_listed_twice_is_one_row_and_is_told() -> None:
    twice = replace(REPORT, fills=(ROW, ROW, replace(ROW)), working=(RESTING, RESTING))
    assert checked(twice) == (
        REPORT,
        ("fill v1-1 is listed twice", "fill v1-1 is listed twice", "open order w is listed twice"),
    )


@pytest.mark.parametrize(
    "report",
    [
        replace(REPORT, balances={"AUD": NAN}),
        replace(REPORT, balances={"AUD": Decimal("-0.01")}),
        replace(REPORT, balances={"AUD": CASH, "not a coin!": Decimal(1)}),
        replace(REPORT, balances={"AUD": 1.5}),
        replace(REPORT, fills=(broken(quantity=NAN),)),
        replace(REPORT, fills=(broken(total_aud=Decimal(-1)),)),
        replace(REPORT, fills=(broken(fee_aud=Decimal("Infinity")),)),
        replace(REPORT, fills=(broken(coin=""),)),
        replace(REPORT, fills=(broken(side="hold"),)),
        replace(REPORT, fills=(broken(executed_at=NOON.replace(tzinfo=None)),)),
        replace(REPORT, fills=(broken(fill_id=""),)),
        replace(REPORT, fills=(ROW, broken(quantity=Decimal(3)))),
        replace(REPORT, working=(ListedOrder("", "BTC", Side.BUY, Decimal(1), Decimal(1)),)),
        replace(REPORT, working=(ListedOrder("w", "BTC", Side.BUY, Decimal(0), Decimal(1)),)),
        replace(REPORT, working=tuple(ListedOrder("w", "BTC", Side.BUY, Decimal(n), Decimal(1)) for n in (1, 2))),
    ],
)
def test_a_report_with_one_row_that_cannot_be_is_refused_whole(report: VenueReport) -> None:
    with pytest.raises(Unavailable, match="cannot be used"):
        checked(report)


def test_a_fill_repeats_another_when_it_says_the_same_under_another_name() -> None:
    assert repeats(FILL, replace(FILL, fill_id="v1-2"))
    assert not repeats(FILL, FILL)
    assert not repeats(FILL, replace(FILL, fill_id="v1-2", quantity=Decimal(3)))
