"""A fill whose coins were accepted as gone is booked by nobody twice."""

from dataclasses import replace
from decimal import Decimal

from omc.portfolio.account import Account
from omc.trading.fill import Fill, Side
from omc.trading.listed import ListedFill, VenueReport
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.fitting import fitting
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.steps import AddFills, AdoptFill, Settle, Warn
from tests.cases.reconciliation_starts import NOBODY, NOON, intent

SOLD = Fill("late", "BTC", Side.SELL, Decimal(2), Decimal(200), Decimal(0), NOON)
BOUGHT = replace(SOLD, fill_id="other", side=Side.BUY)
ROW = ListedFill(SOLD, None, "v1")
ORDER = Order(replace(intent(), side=Side.SELL), OrderStatus.CANCELLED, "v1")
OURS = Ours("an account", owner_trades=True, orders=(ORDER,), claims={})
REPORT = VenueReport(NOON, {}, (), (ROW,))


def test_what_the_books_take_is_left_as_it_is() -> None:
    had = Account.opened_with(Decimal(200)).apply(BOUGHT, Decimal(100))
    made = (AddFills("order-1", (SOLD,)), Settle("another", OrderStatus.FILLED))
    assert fitting(made, OURS, REPORT, {NOBODY: had}) == made


def test_what_they_do_not_take_was_somebody_elses_doing() -> None:
    made = (AddFills("order-1", (SOLD,)),)
    for ours in (OURS, replace(OURS, orders=(), sent=(ORDER,))):
        told = fitting(made, ours, REPORT, {NOBODY: Account.opened_with(Decimal(200))})
        assert told == (Warn("order order-1: 1 of its fills came to light too late to book"), AdoptFill(ROW))


def test_nothing_is_bought_with_cash_that_is_not_there() -> None:
    row = replace(ROW, fill=BOUGHT)
    order = replace(ORDER, intent=intent())
    poor = {NOBODY: Account.opened_with(Decimal("199.99"))}
    told = fitting(
        (AddFills("order-1", (BOUGHT,)),), replace(OURS, orders=(order,)), replace(REPORT, fills=(row,)), poor
    )
    assert AdoptFill(row) in told
