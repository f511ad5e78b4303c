"""The venue over the wire, against the sandbox exchange: placing, losing answers, finding."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.exchange.faults import FaultKind
from omc.adapters.coinspot.exchange.plan import FaultPlan, Spans
from omc.adapters.coinspot.line import Reply
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.coinspot.signature import Credentials
from omc.adapters.coinspot.venue import CoinspotPaperVenues, CoinspotVenue
from omc.errors import OutcomeUnknown, RateLimited, StaleLease, Unavailable
from omc.market.terms import OrderKind, Terms
from omc.risk.limits import Limits
from omc.risk.verdict import Approved
from omc.trading.deployment import Deployment, DeploymentStatus, Mode
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.settlement import settle
from omc.trading.venue import Absent, Placed, Rejected

START = datetime(2025, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=0)
LOST = ("cut", "silence", "500", "502 html", "200 html", "200 garbage", "404 html")
NOTHING = frozenset()


def intent(coin="BTC", side=Side.BUY, quantity="2", price=None, at=START):
    asks, bids = {"BTC": "100", "PEPE": "1.5", "ETH": "10"}, {"BTC": "99", "PEPE": "0.5", "ETH": "9"}
    return OrderIntent(
        client_order_id=f"{coin}:{side}",
        deployment_id=NOBODY,
        user_id=NOBODY,
        coin=coin,
        side=side,
        quantity=Decimal(quantity),
        kind=OrderKind.INSTANT if coin == "PEPE" else OrderKind.MARKET,
        quote_price_aud=Decimal(price or (asks if side is Side.BUY else bids)[coin]),
        quoted_at=at,
        decided_at=at,
        reason="test",
    )


def venue_at(url, demo_client, lag_s=0.0):
    return CoinspotVenue(demo_client(url), Terms(), lag_s=lag_s)


@pytest.fixture
async def venue(faulty, demo_client):
    venue = venue_at(faulty[1], demo_client)
    yield venue
    await venue.close()


@pytest.mark.parametrize(("coin", "fee_bps"), [("BTC", 10), ("PEPE", 100)])
async def test_fills_over_the_wire_are_the_engines_to_the_last_digit(venue, coin, fee_bps):
    quantity = Decimal("3.33333333")
    bought = await venue.place(Approved(intent(coin, quantity=quantity)))
    sold = await venue.place(Approved(intent(coin, Side.SELL, quantity="2.22222222")))
    for placed, order in ((bought, intent(coin, quantity=quantity)), (sold, intent(coin, Side.SELL, "2.22222222"))):
        assert isinstance(placed, Placed)
        assert not placed.open
        (fill,) = placed.fills
        expected = settle(order.side, order.quantity, order.quote_price_aud, fee_bps)
        assert (fill.total_aud, fill.fee_aud) == (expected.total_aud, expected.fee_aud)
        assert (fill.coin, fill.side, fill.quantity, fill.executed_at) == (coin, order.side, order.quantity, START)
    balances = await venue.balances()
    assert balances["AUD"] == 10_000 - bought.fills[0].total_aud + sold.fills[0].total_aud
    assert balances[coin] == Decimal("1.11111111")


async def test_a_market_order_is_known_by_the_venues_id(venue, faulty):
    placed = await venue.place(Approved(intent()))
    assert placed.venue_order_id == faulty[0].app.venue.executions[0].order_id


async def test_what_the_book_cannot_fill_at_once_is_left_to_whoever_sent_it(venue, faulty):
    """Were it cancelled before its sender has written down that the venue has it, it would be listed nowhere, and a
    sender that died meanwhile would have its successor send it again."""
    placed = await venue.place(Approved(intent(price="99.5")))
    assert (placed.fills, placed.open) == ((), True)
    assert [order.order_id for order in faulty[0].app.venue.resting()] == [placed.venue_order_id]


async def test_a_part_that_was_filled_is_told_with_the_rest_left_open(make_wire, served_at, demo_client):
    wire = make_wire(depth=Decimal(50))
    async with served_at(wire.app) as url:
        placed = await venue_at(url, demo_client).place(Approved(intent()))
    assert [fill.quantity for fill in placed.fills] == [Decimal("0.5")]
    assert placed.open
    assert [order.quantity for order in wire.app.venue.resting()] == [Decimal("1.5")]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (intent(quantity="1000"), "Insufficient AUD funds"),
        (intent(side=Side.SELL), "Insufficient BTC funds"),
        (intent(quantity="0.001"), "minimum"),
        (intent("PEPE", quantity="100000"), "Insufficient AUD funds"),
        (replace(intent("PEPE"), coin="NOPE"), "Coin not found"),
        (replace(intent(), coin="PEPE"), "Invalid market"),
        (intent("PEPE", price="1.2"), "threshold"),
    ],
)
async def test_the_venues_no_is_an_answer(venue, order, message):
    placed = await venue.place(Approved(order))
    assert isinstance(placed, Rejected)
    assert message in placed.message
    assert await venue.balances() == {"AUD": 10_000}


async def test_two_instant_orders_alike_are_told_apart(venue):
    first = await venue.place(Approved(intent("PEPE")))
    second = await venue.place(Approved(intent("PEPE")))
    assert first.fills[0].fill_id != second.fills[0].fill_id
    assert len(second.fills) == 1


PATHS = {"BTC": "/api/v2/my/buy", "PEPE": "/api/v2/my/buy/now"}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("coin", ["BTC", "PEPE"])
async def test_a_lost_answer_is_unknown_and_the_venue_is_asked_for_the_truth(faulty, venue, coin, when, how):
    app, _ = faulty
    app.lose(PATHS[coin], when, how)
    with pytest.raises(OutcomeUnknown):
        await venue.place(Approved(intent(coin)))
    found = await venue.find(intent(coin), START, NOTHING)
    if when == "before":
        assert found == Absent()
        assert app.app.venue.executions == []
    else:
        (execution,) = app.app.venue.executions
        assert [fill.quantity for fill in found.fills] == [2]
        assert found.fills[0].total_aud == execution.settlement.total_aud


@pytest.mark.parametrize("path", ["/api/v2/ro/my/orders/completed", "/api/v2/ro/my/orders/market/open"])
@pytest.mark.parametrize("how", ["cut", "500", "429"])
async def test_an_order_whose_follow_up_fails_was_taken_and_is_found_where_it_works(faulty, venue, path, how):
    app, _ = faulty
    order = intent(price="99.5")
    app.lose(path, "before", how)
    placed = await venue.place(Approved(order))
    assert (placed.fills, placed.open) == ((), True)
    assert placed.venue_order_id == app.app.venue.resting()[0].order_id
    assert len(app.app.venue.resting()) == 1
    found = await venue.find(order, START, NOTHING)
    assert (found.fills, found.open, found.venue_order_id) == ((), True, placed.venue_order_id)


async def test_a_cancel_that_was_done_and_not_answered_leaves_no_trace_of_the_order(faulty, venue):
    app, _ = faulty
    order = intent(price="99.5")
    placed = await venue.place(Approved(order))
    app.lose("/api/v2/my/buy/cancel", "after", "cut")
    with pytest.raises(OutcomeUnknown):
        await venue.cancel(order, placed.venue_order_id)
    assert await venue.find(order, START, NOTHING, placed.venue_order_id) == Absent()


async def test_a_lost_part_fill_is_found_whole(make_wire, demo_client, served_at, lossy):
    app = lossy(make_wire(depth=Decimal(50)).app)
    async with served_at(app) as url:
        venue = venue_at(url, demo_client)
        app.lose("/api/v2/my/buy", "after", "cut")
        with pytest.raises(OutcomeUnknown):
            await venue.place(Approved(intent()))
        found = await venue.find(intent(), START, NOTHING)
    assert [fill.quantity for fill in found.fills] == [Decimal("0.5")]
    assert found.open
    assert [order.order_id for order in app.app.venue.resting()] == [found.venue_order_id]


async def test_fills_of_other_orders_are_never_taken_for_a_lost_one(faulty, venue):
    app, _ = faulty
    first = await venue.place(Approved(intent()))
    app.lose("/api/v2/my/buy", "before", "cut")
    with pytest.raises(OutcomeUnknown):
        await venue.place(Approved(intent()))
    known = frozenset(fill.fill_id for fill in first.fills)
    assert await venue.find(intent(), START, known) == Absent()


async def test_when_two_could_be_it_nobody_can_tell(faulty, venue):
    await venue.place(Approved(intent()))
    await venue.place(Approved(intent()))
    with pytest.raises(OutcomeUnknown, match="2 orders"):
        await venue.find(intent(), START, NOTHING)


async def test_since_may_come_from_another_clock_than_the_tapes(venue):
    placed = await venue.place(Approved(intent()))
    assert await venue.find(intent(), datetime.now(UTC), NOTHING) == placed


async def test_what_was_filled_before_the_quote_is_not_the_order(venue):
    await venue.place(Approved(intent()))
    later = intent(at=START + timedelta(minutes=5))
    assert await venue.find(later, later.quoted_at, NOTHING) == Absent()


@pytest.mark.parametrize("how", LOST)
async def test_looking_that_fails_says_that_nothing_is_known_yet(faulty, venue, how):
    app, _ = faulty
    for _ in range(3):
        app.lose("/api/v2/ro/my/orders/completed", "before", how)
    with pytest.raises((Unavailable, OutcomeUnknown)):
        await venue.find(intent(), START, NOTHING)


async def test_a_reading_whose_answer_is_lost_is_asked_for_again(faulty, venue):
    app, _ = faulty
    for path in ("my/orders/completed", "my/orders/market/open", "my/balances"):
        app.lose(f"/api/v2/ro/{path}", "before", "500")
    assert await venue.find(intent(), START, NOTHING) == Absent()
    assert await venue.balances() == {"AUD": 10_000}


async def test_an_instant_order_is_not_sent_when_it_could_not_be_told_apart(faulty, venue):
    app, _ = faulty
    for _ in range(3):
        app.lose("/api/v2/ro/my/orders/completed", "before", "cut")
    with pytest.raises(Unavailable):
        await venue.place(Approved(intent("PEPE")))
    assert "/api/v2/my/buy/now" not in app.seen


async def test_a_venue_that_slows_us_down_has_not_acted(faulty, venue):
    app, _ = faulty
    app.lose("/api/v2/my/buy", "before", "429")
    with pytest.raises(RateLimited):
        await venue.place(Approved(intent()))
    assert app.app.venue.executions == []


async def test_a_key_that_is_refused_is_no_reason_to_believe_that_nothing_is_there(faulty, demo_client):
    app, url = faulty
    venue = venue_at(url, demo_client)
    del app.app.ring.keys["demo-key"]
    with pytest.raises(Unavailable, match="invalid key"):
        await venue.find(intent(), START, NOTHING)
    with pytest.raises(Unavailable, match="invalid key"):
        await venue.balances()
    with pytest.raises(Unavailable, match="invalid key"):
        await venue.cancel_all()
    assert isinstance(await venue.place(Approved(intent("PEPE"))), Rejected)


async def test_all_open_orders_are_cancelled_and_counted(faulty, venue):
    app, _ = faulty
    engine = app.app.venue
    for coin, price in (("BTC", "50"), ("BTC", "60"), ("ETH", "5")):
        engine.place("demo", Side.BUY, coin, quantity=Decimal(1), price_aud=Decimal(price))
    assert await venue.cancel_all() == 3
    assert engine.resting() == []
    assert await venue.cancel_all() == 0


async def test_a_real_venues_lists_are_given_time_before_they_are_believed(faulty, demo_client):
    app, url = faulty
    venue = venue_at(url, demo_client, lag_s=0.2)
    await venue.place(Approved(intent()))
    late, app.app.venue.wallet("demo").executions[:] = list(app.app.venue.wallet("demo").executions), []

    async def listed_later():
        await asyncio.sleep(0.1)
        app.app.venue.wallet("demo").executions[:] = late

    listing = asyncio.create_task(listed_later())
    found = await venue.find(intent(), START, NOTHING)
    await listing
    assert found.fills[0].quantity == 2


@pytest.mark.parametrize("coin", ["BTC", "PEPE"])
async def test_an_order_that_was_taken_and_is_not_listed_yet_is_placed_and_open(faulty, demo_client, coin):
    app, url = faulty
    wallet = app.app.venue.wallet("demo")
    wallet.executions = Unlisted()
    placed = await venue_at(url, demo_client).place(Approved(intent(coin)))
    assert (placed.fills, placed.open) == ((), True)
    assert len(app.app.venue.executions) == 1


class Unlisted(list):
    """Executions that are booked, and shown to nobody yet."""

    def __reversed__(self):
        return iter(())


async def test_a_desk_that_was_replaced_gets_no_order_through(faulty, make_client):
    app, url = faulty
    nonces = MemoryNonces()
    lease = await nonces.leases.take("risk:0", "us")
    venue = CoinspotVenue(make_client(url, nonces), Terms(), lag_s=0.0)
    assert (await venue.place(Approved(intent(), lease))).fills
    await nonces.leases.take("risk:0", "its successor")
    with pytest.raises(StaleLease):
        await venue.place(Approved(intent(), lease))
    assert len(app.app.venue.executions) == 1


async def test_a_deployments_account_is_opened_at_the_real_process(exchange):
    control = SandboxControl(exchange.url, exchange.token_file)
    venues = CoinspotPaperVenues(control, exchange.url, MemoryNonces(), Terms())
    deployment = Deployment(
        id=uuid4(),
        user_id=NOBODY,
        algorithm_id=NOBODY,
        algorithm_version=1,
        algorithm_type="x",
        name="x",
        coins=("BTC",),
        parameters={},
        mode=Mode.PAPER,
        venue="coinspot",
        cash_aud=Decimal("5000.00"),
        limits=Limits(Decimal(1000), Decimal(1000), Decimal(1000)),
        rebalance_band=0.0,
        status=DeploymentStatus.ACTIVE,
        deployed_at=START,
    )
    venue = await venues.open(deployment)
    assert await venue.balances() == {"AUD": 5000}
    clock = await control.clock()
    ask = Decimal("1000000")
    placed = await venue.place(Approved(intent(quantity="0.001", price=ask, at=clock.time)))
    assert placed.fills[0].executed_at == clock.time
    again = await CoinspotPaperVenues(control, exchange.url, MemoryNonces(), Terms()).open(deployment)
    assert (await again.balances())["BTC"] == Decimal("0.001")
    secret = (await control.open_account(str(deployment.id), Decimal(5000))).secret
    assert secret not in f"{venue!r}{venues!r}"


async def test_what_open_orders_hold_back_is_told_apart_by_whether_they_are_listed(faulty, venue):
    app = faulty[0].app
    assert await venue.unlisted("AUD") == 0
    bid = replace(intent("BTC", price="50", quantity="2"), good_for_s=600.0)
    await venue.place(Approved(bid))
    # The fee is held back besides.
    assert 0 <= await venue.unlisted("AUD") < 1
    app.control.faults.begin(FaultPlan(1, 1.0, frozenset({FaultKind.LAGGING_ORDERS}), spans=Spans(lag_s=1e6)), [])
    more = replace(intent("ETH", price="5", quantity="3"), client_order_id="more", good_for_s=600.0)
    await venue.place(Approved(more))
    assert 15 <= await venue.unlisted("AUD") < 16
    assert await venue.unlisted("BTC") == 0


async def test_a_venue_that_does_not_say_what_is_available_leaves_it_open():
    class Terse:
        base_url = "terse://"

        async def send(self, method, path, *, content=None, headers=None):
            if "balance" in path:
                return Reply(200, b'{"status":"ok","balance":{"BTC":{"balance":1,"audbalance":1,"rate":1}}}')
            return Reply(200, b'{"status":"ok","buyorders":[],"sellorders":[]}')

        async def close(self):
            """There is nothing to close."""

    client = CoinspotClient("", Credentials("k", "s"), MemoryNonces(), account="a", line=Terse())
    venue = CoinspotVenue(client, Terms(), lag_s=0.0)
    assert await venue.unlisted("BTC") is None
    with pytest.raises(Unavailable, match="cannot be read"):
        await venue.unlisted("AUD")
