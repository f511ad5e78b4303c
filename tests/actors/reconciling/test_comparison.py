"""What a comparison says is what the books come to, and what they do not take."""

from dataclasses import replace
from decimal import Decimal

from actors.reconciling.comparison import compared_of, unbooked, unread
from actors.reconciling.lasting import Lasting
from omc.errors import Unavailable
from omc.trading.fill import Fill, Side
from omc.trading.listed import VenueReport
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.reading import Reading
from omc.trading.reconciliation.steps import Settle
from omc.trading.reconciliation.venue_book import Known
from tests.actors.mortal import USER, deployment
from tests.cases.reconciliation_starts import NOON, intent

OF = deployment(1)
FILL = Fill("f", "BTC", Side.BUY, Decimal(2), Decimal(200), Decimal(0), NOON)
ORDER = Order(intent(), OrderStatus.ACCEPTED, "v1")
BEFORE = {"AUD": Decimal(1000)}
AFTER = {"AUD": Decimal(800), "BTC": Decimal(2)}


def reading(order: Order = ORDER) -> Reading:
    """An order that was executed, as its venue says."""
    ours = Ours("an account", owner_trades=False, orders=(order,), claims=BEFORE)
    settled = Settle("order-1", OrderStatus.FILLED, (FILL,), "v1")
    known = Known("an account", USER, {}, {})
    return Reading((OF,), {}, known, ours, VenueReport(NOON, AFTER, (), ()), (settled,), NOON)


async def test_a_fill_that_its_sender_has_still_to_store_is_no_difference() -> None:
    lasting, now = Lasting(), reading()
    assert unbooked(lasting, now, 0.005) == {}
    found = compared_of(OF, now, {}, NOON)
    assert (found.differences, found.closed, found.ours) == ((), None, AFTER)


async def test_a_fill_that_is_not_stored_for_long_closes_the_account() -> None:
    lasting, now = Lasting(), reading()
    late = unbooked(lasting, now, -1.0)
    found = compared_of(OF, now, late, NOON)
    assert found.closed == "order order-1 was executed at the venue, and our books do not take its fills"
    assert (len(found.differences), found.ours) == (2, BEFORE)
    assert unbooked(lasting, replace(now, steps=()), -1.0) == {}
    # What waits for a person is settled by whoever compares.
    waits = replace(ORDER, status=OrderStatus.UNRESOLVED)
    assert unbooked(Lasting(), reading(waits), -1.0) == {}


def test_what_closed_an_account_first_is_what_is_told() -> None:
    last = compared_of(OF, reading(), {}, NOON)
    away, other = Unavailable("away"), Unavailable("still away")
    one = unread(last, away)
    assert one.closed == one.unread == "the account cannot be compared with its venue: away"
    assert unread(one, other).closed == "the account cannot be compared with its venue: still away"
    short = replace(last, closed="ETH is missing")
    assert (unread(short, away).closed, unread(short, away).unread) == ("ETH is missing", one.unread)
