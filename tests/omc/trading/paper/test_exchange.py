from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.quote import Quote, QuoteBoard
from omc.market.terms import OrderKind, Terms
from omc.risk.verdict import Approved
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.paper.exchange import MemoryAccount
from omc.trading.paper.venue import PaperVenue
from omc.trading.venue import Absent, Placed, Rejected

START = datetime(2025, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=0)


def account(depth=None):
    venue = PaperVenue(Terms(market_coins=frozenset({"BTC"})), depth_aud=depth)
    show(venue, 0)
    venue.open_account("me", Decimal(1000))
    return MemoryAccount(venue, "me")


def show(venue, bar):
    quotes = {coin: Quote(coin, Decimal(99), Decimal(101), Decimal(100)) for coin in ("BTC", "PEPE")}
    venue.show(QuoteBoard(START + timedelta(minutes=5 * bar), quotes))


def approved(coin="BTC", side=Side.BUY, quantity="1", price="101", at=START):
    return Approved(
        OrderIntent(
            client_order_id=f"{coin}:{side}:{quantity}",
            deployment_id=NOBODY,
            user_id=NOBODY,
            coin=coin,
            side=side,
            quantity=Decimal(quantity),
            kind=OrderKind.MARKET if coin == "BTC" else OrderKind.INSTANT,
            quote_price_aud=Decimal(price),
            quoted_at=at,
            decided_at=at,
            reason="test",
        )
    )


@pytest.mark.parametrize("coin", ["BTC", "PEPE"])
async def test_buying_and_selling_moves_what_the_fills_say(coin):
    paper = account()
    bought = await paper.place(approved(coin))
    sold = await paper.place(approved(coin, Side.SELL, price="99"))
    balances = await paper.balances()
    assert isinstance(bought, Placed)
    assert isinstance(sold, Placed)
    assert balances == {"AUD": 1000 - bought.fills[0].total_aud + sold.fills[0].total_aud}


async def test_what_the_book_cannot_fill_at_once_is_cancelled():
    paper = account(depth=Decimal("50.50"))
    placed = await paper.place(approved())
    assert placed.fills[0].quantity == Decimal("0.5")
    assert not placed.open
    assert await paper.cancel_all() == 0
    unfilled = await paper.place(approved(price="100"))
    assert unfilled.fills == ()


async def test_the_venues_no_is_an_answer():
    paper = account()
    assert await paper.place(approved(quantity="100")) == Rejected("Insufficient AUD funds")


@given(
    st.lists(
        st.tuples(st.sampled_from(["BTC", "PEPE"]), st.integers(1, 3), st.booleans()),
        min_size=1,
        max_size=6,
        unique=True,
    )
)
async def test_whatever_answer_is_lost_the_venue_is_asked_and_tells_the_truth(orders):
    paper, known = account(), set()
    for bar, (coin, quantity, sent) in enumerate(orders):
        show(paper.paper, bar)
        order = approved(coin, quantity=str(quantity), at=paper.paper.time)
        truth = await paper.place(order) if sent else None
        found = await paper.find(order.intent, order.intent.quoted_at, frozenset(known))
        if truth is None or isinstance(truth, Rejected):
            assert found == Absent()
        else:
            assert (found.fills, found.open) == (truth.fills, False)
            known |= {fill.fill_id for fill in truth.fills}


async def test_what_still_works_of_an_order_that_is_found_is_cancelled_with_the_fills_kept():
    paper, order = account(depth=Decimal("50.50")), approved()
    taken = paper.paper.place("me", Side.BUY, "BTC", quantity=Decimal(1), price_aud=Decimal(101))
    found = await paper.find(order.intent, START, frozenset())
    assert (found.venue_order_id, found.fills[0].quantity, found.open) == (taken.order_id, Decimal("0.5"), False)
    assert await paper.cancel_all() == 0
    unfilled = paper.paper.place("me", Side.BUY, "BTC", quantity=Decimal(2), price_aud=Decimal(90))
    below = approved(quantity="2", price="90").intent
    found = await paper.find(below, START, frozenset())
    assert found == Placed(unfilled.order_id, (), open=False)
