"""A person says what an order became: nothing else than it could be, and no more than it asked for."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from omc.errors import InvalidInput
from omc.trading.fill import Fill, Side
from omc.trading.floor import Choice
from omc.trading.listed import ListedOrder
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.resolution import choice_of, resolution_of, resolved
from omc.trading.reconciliation.venue_book import HeldOrder
from tests.cases.reconciliation_starts import NOON, intent

NOBODY = UUID(int=0)


def fill(name: str, quantity: str = "2") -> Fill:
    return Fill(name, "BTC", Side.BUY, Decimal(quantity), 100 * Decimal(quantity), Decimal(0), NOON)


RESTING = ListedOrder("resting", "BTC", Side.BUY, Decimal("1.5"), Decimal(100))
CANDIDATES = (
    Match("whole", (fill("w"),)),
    Match(None, (fill("alone"),)),
    Match(None, (fill("alone-1", "1"),)),
    Match(None, (fill("alone-2", "1"),)),
    Match("part", (fill("p1", "0.5"), fill("p2", "0.5"))),
    Match("resting", (fill("r", "0.5"),), RESTING),
    Match("untouched", (), replace(RESTING, venue_order_id="untouched", quantity=Decimal(2))),
)
HELD = HeldOrder(NOBODY, "order-1", NOBODY, NOBODY, "an account", NOON, CANDIDATES)
WAITS = Order(intent(), OrderStatus.UNRESOLVED)


@pytest.mark.parametrize(
    ("choice", "status", "order_id", "fills"),
    [
        (Choice(), OrderStatus.REJECTED, None, []),
        (Choice(("w",)), OrderStatus.FILLED, "whole", ["w"]),
        (Choice(("alone",)), OrderStatus.FILLED, None, ["alone"]),
        (Choice(("p1",)), OrderStatus.CANCELLED, "part", ["p1"]),
        (Choice(("p2", "p1", "p1")), OrderStatus.CANCELLED, "part", ["p2", "p1"]),
        (Choice(("alone-1", "alone-2")), OrderStatus.FILLED, None, ["alone-1", "alone-2"]),
        (Choice(("r",)), OrderStatus.PARTIAL, "resting", ["r"]),
        (Choice(venue_order_id="part"), OrderStatus.CANCELLED, "part", ["p1", "p2"]),
        (Choice(venue_order_id="resting"), OrderStatus.PARTIAL, "resting", ["r"]),
        (Choice(venue_order_id="untouched"), OrderStatus.ACCEPTED, "untouched", []),
    ],
)
def test_what_is_chosen_is_what_it_became(
    choice: Choice, status: OrderStatus, order_id: str | None, fills: list[str]
) -> None:
    became = resolved(WAITS, HELD, choice)
    assert (became.status, became.venue_order_id) == (status, order_id)
    assert [each.fill_id for each in became.fills] == fills
    said = replace(HELD, resolution=resolution_of(choice, "somebody"))
    again = resolved(WAITS, said)
    assert (again.status, {each.fill_id for each in again.fills}) == (status, set(fills))
    assert choice_of(resolution_of(choice, "somebody")).venue_order_id == choice.venue_order_id


def test_what_it_had_is_kept_when_none_of_them_was_its_own() -> None:
    had = replace(WAITS, fills=(fill("had", "0.5"),))
    became = resolved(had, HELD, Choice())
    assert (became.status, became.filled_quantity) == (OrderStatus.CANCELLED, Decimal("0.5"))


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        (Choice(("w", "alone")), "come to 4 BTC, the order asked for 2"),
        (Choice(("p1", "r")), "these fills are of 2 orders, of which resting still works"),
        (Choice(("unknown",)), "no fill that order order-1 could be"),
        (Choice(venue_order_id="unknown"), "no order that order-1 could be"),
    ],
)
def test_what_it_could_not_be_is_refused(choice: Choice, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        resolved(WAITS, HELD, choice)


def test_what_goes_on_at_the_venue_is_said_when_it_was_not_this_order() -> None:
    assert resolved(WAITS, HELD, Choice()).message == (
        "so a person said; resting, untouched goes on at the venue, as its owner's"
    )
    over = replace(HELD, candidates=CANDIDATES[:1])
    assert resolved(WAITS, over, Choice()).message == "so a person said"


def test_an_order_that_is_over_stays_what_it_is() -> None:
    over = replace(WAITS, status=OrderStatus.FILLED, fills=(fill("w"),))
    assert resolved(over, HELD, Choice(("w",))) == over


def test_an_order_that_is_over_may_have_been_executed_once_more() -> None:
    over = replace(WAITS, status=OrderStatus.FILLED, fills=(fill("own"),))
    more = resolved(over, HELD, Choice(("w",)))
    assert (more.status, [each.fill_id for each in more.fills]) == (OrderStatus.FILLED, ["own", "w"])
    assert resolved(over, HELD, Choice()) == over
    for choice in (Choice(("r",)), Choice(venue_order_id="untouched")):
        with pytest.raises(InvalidInput, match="what is open is another one: take it off"):
            resolved(over, HELD, choice)
