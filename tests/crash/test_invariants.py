"""Every invariant can be violated, and is said to be."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from omc.market.terms import OrderKind
from omc.trading.fill import Side
from omc.trading.paper.order import Execution
from omc.trading.settlement import settle
from tests.crash.invariants import OurOrder, Ours, Venues, violations

AT = datetime(2026, 1, 1, tzinfo=UTC)
QUANTITY, PRICE = Decimal("0.5"), Decimal(200)
SETTLED = settle(Side.BUY, QUANTITY, PRICE, 10)
FEE = Decimal("0.10")
BOUGHT = Execution("o1-1", "o1", "a", "BTC", Side.BUY, OrderKind.MARKET, QUANTITY, PRICE, SETTLED, AT)
WANTED = ("buy", "BTC", QUANTITY, PRICE)
CASH = Decimal(1000) - SETTLED.total_aud
TRADE = ("o1", "BTC", "buy", QUANTITY, SETTLED.total_aud, FEE)
VENUE = Venues([WANTED], [BOUGHT], [], {"AUD": CASH, "BTC": QUANTITY})
OURS = Ours(Decimal(1000), [OurOrder("n1", "o1", WANTED, "filled")], [TRADE], CASH, {"BTC": QUANTITY}, Decimal(0), FEE)


def test_books_that_are_the_exchanges_violate_nothing():
    assert violations(VENUE, OURS) == []


@pytest.mark.parametrize(
    ("venue", "ours", "said"),
    [
        (replace(VENUE, taken=[WANTED, WANTED]), OURS, "the exchange took 1 order more"),
        (replace(VENUE, executions=[BOUGHT, replace(BOUGHT, order_id="o2")]), OURS, "no order of ours owns"),
        (VENUE, replace(OURS, trades=[TRADE, TRADE]), "the exchange never made"),
        (replace(VENUE, working=["o1"]), OURS, "still on the exchange's book"),
        (VENUE, replace(OURS, orders=[OurOrder("n1", "o1", WANTED, "unknown")]), "is left unknown"),
        (VENUE, replace(OURS, orders=[OurOrder("n1", "o1", WANTED, "denied")]), "the exchange took 1 order more"),
        (replace(VENUE, balances={"AUD": CASH + 1, "BTC": QUANTITY}), OURS, "cash: we say"),
        (replace(VENUE, balances={"AUD": CASH}), OURS, "BTC: we say 0.5, the exchange 0"),
        (VENUE, replace(OURS, positions={}), "BTC: we say 0, the exchange 0.5"),
        (VENUE, replace(OURS, realized_aud=Decimal(1)), "realized: the ledger replays to"),
        (VENUE, replace(OURS, fees_aud=Decimal(0)), "fees: the ledger replays to"),
    ],
)
def test_what_is_not_as_the_exchange_has_it_is_said(venue, ours, said):
    assert any(said in sentence for sentence in violations(venue, ours))
