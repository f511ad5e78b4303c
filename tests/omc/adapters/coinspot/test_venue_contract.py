"""What every Venue promises: the account in memory, and the one over the wire against the exchange that it is the twin
of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.exchange.in_process import InProcessLine
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.signature import Credentials
from omc.adapters.coinspot.venue import CoinspotVenue
from omc.errors import Halted, StaleLease, VenueRefused
from omc.market.quote import Quote, QuoteBoard
from omc.market.terms import OrderKind, Terms
from omc.risk.verdict import Approved
from omc.trading.fill import Side
from omc.trading.lease import Lease, MemoryLeaseStore
from omc.trading.order import OrderIntent
from omc.trading.paper.exchange import MemoryAccount
from omc.trading.paper.venue import PaperVenue
from omc.trading.venue import Absent, Finding, Placed, Venue

START = datetime(2025, 1, 1, tzinfo=UTC)
NOTHING: frozenset[str] = frozenset()


@dataclass
class Market:
    """An account with 10,000 AUD at a venue whose quotes a test moves."""

    paper: PaperVenue
    account: str
    venue: Venue

    def show(self, bars: int, ask: str = "100", bid: str = "99") -> None:
        self.at = START + bars * timedelta(minutes=5)
        quotes = {
            coin: Quote(coin, Decimal(bid), Decimal(ask), Decimal(bid)) for coin in ("BTC", "ETH", "PEPE", "GONE")
        }
        self.paper.show(QuoteBoard(self.at, quotes))

    async def found(self, order: OrderIntent, placed: Placed, known: frozenset[str] = NOTHING) -> Finding:
        return await self.venue.find(order, order.quoted_at, known, placed.venue_order_id)


@pytest.fixture(params=["memory", "wire"])
async def market(request: pytest.FixtureRequest, make_wire) -> AsyncIterator[Market]:
    """The book gives 100 AUD a coin and bar."""
    if request.param == "memory":
        paper = PaperVenue(Terms(market_coins=frozenset({"BTC", "ETH"})), ("BTC", "ETH", "PEPE", "GONE"), Decimal(100))
        market = Market(paper, "demo", MemoryAccount(paper, "demo"))
        market.show(0)
        paper.open_account("demo", Decimal(10_000))
        yield market
        return
    app = make_wire(depth=Decimal(100)).app
    client = CoinspotClient(
        "http://in-process",
        Credentials("demo-key", "demo-secret"),
        MemoryNonces(leases=MemoryLeaseStore({"risk:0": 2})),
        account="demo",
        line=InProcessLine(app),
    )
    market = Market(app.venue, "demo", CoinspotVenue(client, Terms(), lag_s=0.0))
    market.show(0)
    yield market
    await client.close()


def intent(quantity: str = "3", price: str = "100", side: Side = Side.BUY, **changes: object) -> OrderIntent:
    made = OrderIntent(
        client_order_id="an order",
        deployment_id=UUID(int=0),
        user_id=UUID(int=0),
        coin="BTC",
        side=side,
        quantity=Decimal(quantity),
        kind=OrderKind.MARKET,
        quote_price_aud=Decimal(price),
        quoted_at=START,
        decided_at=START,
        reason="a test's",
        good_for_s=600.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def placed(market: Market, order: OrderIntent) -> Placed:
    answer = await market.venue.place(Approved(order))
    assert isinstance(answer, Placed)
    assert answer.venue_order_id is not None
    return answer


def quantities(finding: Finding) -> list[Decimal]:
    assert isinstance(finding, Placed)
    return [fill.quantity for fill in finding.fills]


async def test_an_order_that_is_good_for_a_while_rests_with_what_it_got(market: Market) -> None:
    order = intent()
    taken = await placed(market, order)
    assert (quantities(taken), taken.open, taken.price_aud) == ([Decimal(1)], True, Decimal(100))
    for bar, parts in ((1, 2), (2, 3)):
        market.show(bar)
        found = await market.found(order, taken)
        assert quantities(found) == [Decimal(1)] * parts
        assert isinstance(found, Placed)
        assert found.open is (parts < 3)


async def test_a_resting_order_is_reported_with_what_it_holds(market: Market) -> None:
    order = intent(price="90")
    taken = await placed(market, order)
    report = await market.venue.report(START)
    (working,) = report.working
    assert (working.venue_order_id, working.quantity, working.price_aud) == (taken.venue_order_id, 3, 90)
    assert report.balances["AUD"] == 10_000
    assert report.fills == ()


async def test_a_cancelled_order_keeps_its_fills_and_cannot_be_cancelled_twice(market: Market) -> None:
    order = intent()
    taken = await placed(market, order)
    assert taken.venue_order_id is not None
    await market.venue.cancel(order, taken.venue_order_id)
    found = await market.found(order, taken)
    assert isinstance(found, Placed)
    assert (quantities(found), found.open) == ([Decimal(1)], False)
    with pytest.raises(VenueRefused):
        await market.venue.cancel(order, taken.venue_order_id)
    assert (await market.venue.report(START)).working == ()


async def test_a_cancelled_order_without_a_fill_leaves_no_trace(market: Market) -> None:
    order = intent(price="90")
    taken = await placed(market, order)
    assert taken.venue_order_id is not None
    await market.venue.cancel(order, taken.venue_order_id)
    assert await market.found(order, taken) == Absent()


async def test_a_fill_that_overtakes_the_cancel_is_a_refused_cancel(market: Market) -> None:
    order = intent("2")
    taken = await placed(market, order)
    assert taken.venue_order_id is not None
    market.show(1)
    with pytest.raises(VenueRefused):
        await market.venue.cancel(order, taken.venue_order_id)
    assert quantities(await market.found(order, taken)) == [Decimal(1)] * 2


async def test_a_moved_order_is_found_where_it_stands_and_may_fill_there(market: Market) -> None:
    order = intent(price="90")
    taken = await placed(market, order)
    assert taken.venue_order_id is not None
    moved = await market.venue.replace(Approved(order), taken.venue_order_id, Decimal(90), Decimal(95))
    found = await market.venue.find(order, START, NOTHING, moved)
    assert isinstance(found, Placed)
    assert (found.open, found.price_aud, found.fills) == (True, Decimal(95), ())
    moved = await market.venue.replace(Approved(order), moved, Decimal(95), Decimal(100))
    assert quantities(await market.venue.find(order, START, NOTHING, moved)) == [Decimal(1)]


async def test_an_order_that_is_gone_or_stands_elsewhere_is_not_moved(market: Market) -> None:
    order = intent(price="90")
    taken = await placed(market, order)
    assert taken.venue_order_id is not None
    with pytest.raises(VenueRefused):
        await market.venue.replace(Approved(order), taken.venue_order_id, Decimal(91), Decimal(95))
    await market.venue.cancel(order, taken.venue_order_id)
    with pytest.raises(VenueRefused):
        await market.venue.replace(Approved(order), taken.venue_order_id, Decimal(90), Decimal(95))


async def test_a_lost_order_is_found_resting_by_its_limit_and_others_are_told_apart(market: Market) -> None:
    order = intent(price="90")
    taken = await placed(market, order)
    found = await market.venue.find(order, START, NOTHING)
    assert isinstance(found, Placed)
    assert (found.venue_order_id, found.open) == (taken.venue_order_id, True)
    # Another order's, by the venue's id: then there is no trace of this one.
    assert await market.venue.find(order, START, frozenset({taken.venue_order_id or ""})) == Absent()


async def test_two_that_rest_alike_are_known_by_their_ids(market: Market) -> None:
    order = intent(price="90")
    first, second = await placed(market, order), await placed(market, order)
    assert first.venue_order_id != second.venue_order_id
    assert first.venue_order_id is not None
    await market.venue.cancel(order, first.venue_order_id)
    found = await market.found(order, second)
    assert isinstance(found, Placed)
    assert (found.venue_order_id, found.open) == (second.venue_order_id, True)


async def test_nothing_moves_through_a_gate_that_was_closed_since(market: Market) -> None:
    def shut() -> None:
        raise Halted("enough")

    order = intent(price="90")
    taken = await placed(market, order)
    with pytest.raises(Halted):
        await market.venue.replace(Approved(order, gate=shut), taken.venue_order_id or "", Decimal(90), Decimal(95))
    assert [each.price_aud for each in market.paper.resting()] == [90]


async def test_all_that_rests_is_cancelled_at_once(market: Market) -> None:
    for price in ("90", "91"):
        await placed(market, intent(price=price))
    assert await market.venue.cancel_all() == 2
    assert await market.venue.cancel_all() == 0
    assert (await market.venue.balances())["AUD"] == 10_000


async def test_a_book_shows_what_an_order_would_trade_with(market: Market) -> None:
    for side, price in ((Side.BUY, 100), (Side.SELL, 99)):
        best = (await market.venue.book("BTC", side))[0]
        assert best.price_aud == price
        assert best.quantity > 0
    assert list(await market.venue.book("PEPE", Side.BUY)) == []
    assert list(await market.venue.book("NOPE", Side.BUY)) == []


async def test_the_price_against_the_venue_itself_is_told_with_its_fee(market: Market) -> None:
    assert await market.venue.instant_price("BTC", Side.BUY, Decimal(1)) == Decimal("101.00")
    assert await market.venue.instant_price("BTC", Side.SELL, Decimal(1)) == Decimal("98.01")
    assert await market.venue.instant_price("NOPE", Side.BUY, Decimal(1)) is None
    # What an instant order then comes to.
    taken = await market.venue.place(Approved(intent(price="101", quantity="0.5", kind=OrderKind.INSTANT)))
    assert isinstance(taken, Placed)
    assert sum(fill.total_aud for fill in taken.fills) == Decimal("50.50")


async def test_a_coin_that_is_not_listed_any_more_is_a_named_no(market: Market) -> None:
    order = intent(coin="NOPE", kind=OrderKind.INSTANT, good_for_s=0.0)
    answer = await market.venue.place(Approved(order))
    assert getattr(answer, "refusal", None) == "coin_not_listed"


async def test_a_desk_that_was_replaced_moves_nothing(make_wire) -> None:
    app = make_wire().app
    nonces = MemoryNonces(leases=MemoryLeaseStore({"risk:0": 2}))
    client = CoinspotClient(
        "http://in-process", Credentials("demo-key", "demo-secret"), nonces, account="demo", line=InProcessLine(app)
    )
    venue, order = CoinspotVenue(client, Terms(), lag_s=0.0), intent(price="90")
    taken = await venue.place(Approved(order, sender=Lease("risk:0", 2)))
    assert isinstance(taken, Placed)
    stale = Approved(order, sender=Lease("risk:0", 1))
    with pytest.raises(StaleLease):
        await venue.replace(stale, taken.venue_order_id or "", Decimal(90), Decimal(95))
    assert [each.price_aud for each in app.venue.resting()] == [90]
