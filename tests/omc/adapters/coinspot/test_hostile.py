"""The real client against a real exchange process that misbehaves, over sockets: one kind of fault after the other, and
all of them together."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID, uuid4

import pytest

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.exchange.faults import CHANGES_TRADES, FITTING, Asked, FaultKind
from omc.adapters.coinspot.exchange.plan import LATEST_S
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.prices import CoinspotPrices
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.coinspot.venue import SANDBOX_LAG_S, CoinspotVenue
from omc.errors import OutcomeUnknown, RateLimited, Unavailable, VenueRefused
from omc.market.money import ZERO
from omc.market.terms import OrderKind, Terms
from omc.risk.verdict import Approved
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.venue import Absent, Placed, Rejected

NOBODY = UUID(int=0)
QUANTITIES = {"BTC": "0.02", "PEPE": "20"}
_LOOKS = 100
CASH = Decimal("100000.00")
HARMLESS = sorted(frozenset(FaultKind) - CHANGES_TRADES)
OF_ORDERS = sorted({*FITTING[Asked.ORDER], *FITTING[Asked.HISTORY]} - CHANGES_TRADES)


@dataclass
class Customer:
    """An account, and what its owner believes of it: an order is sent again only when the venue has no trace of it, has
    had none for longer than it may take to carry anything out, and holds what its owner believes."""

    venue: CoinspotVenue
    control: SandboxControl
    prices: CoinspotPrices
    fills: dict = field(default_factory=dict)
    numbers: count = field(default_factory=lambda: count(1))
    outcomes: list = field(default_factory=list)

    async def order(self, coin, side, quantity):
        board = await self.prices.latest()
        quote = board.quotes[coin]
        return OrderIntent(
            client_order_id=str(next(self.numbers)),
            deployment_id=NOBODY,
            user_id=NOBODY,
            coin=coin,
            side=side,
            quantity=Decimal(quantity),
            kind=OrderKind.INSTANT if coin == "PEPE" else OrderKind.MARKET,
            quote_price_aud=quote.ask_aud if side is Side.BUY else quote.bid_aud,
            quoted_at=board.time,
            decided_at=board.time,
            reason="test",
        )

    async def carry_out(self, intent):
        """From an intent to its end, as a sender does it: what the venue has no trace of is sent again, and what rests
        is cancelled."""
        placement = await self._placed(intent)
        while isinstance(placement, Absent):
            placement = await self._placed(intent)
        for _ in range(_LOOKS):
            if isinstance(placement, Rejected) or not placement.open:
                break
            placement = await self._ended(intent, placement)
        else:
            pytest.fail(f"{intent.coin} {intent.side}: it does not end")
        if isinstance(placement, Placed):
            for fill in placement.fills:
                assert self.fills.setdefault(fill.fill_id, fill) is fill, "one fill of two orders"
        return placement

    async def _placed(self, intent):
        try:
            placement = await self.venue.place(Approved(intent))
        except (OutcomeUnknown, Unavailable) as unsure:
            self.outcomes.append(type(unsure).__name__)
            return await self._found(intent)
        self.outcomes.append(type(placement).__name__)
        return placement

    async def _ended(self, intent, placed):
        """An order that the venue took, cancelled and looked for; it is not sent again because a list lacks it."""
        if placed.venue_order_id is not None:
            with suppress(VenueRefused, OutcomeUnknown, Unavailable):
                await self.venue.cancel(intent, placed.venue_order_id)
        found = await self._found(intent, placed.venue_order_id)
        if isinstance(found, Placed):
            return found
        return replace(placed, open=intent.kind is OrderKind.INSTANT)

    async def _found(self, intent, venue_order_id=None):
        quiet = False
        for _ in range(_LOOKS):
            try:
                found = await self.venue.find(intent, intent.quoted_at, frozenset(self.fills), venue_order_id)
                if isinstance(found, Placed) or venue_order_id is not None:
                    return found
                believed, held = await self.books()
                if quiet and believed == held:
                    return found
                quiet = True
                await asyncio.sleep(LATEST_S)
            except (OutcomeUnknown, Unavailable):
                await asyncio.sleep(0.02)
        pytest.fail(f"{intent.coin} {intent.side}: nobody knows what became of it")

    async def books(self):
        """What the owner believes to hold, and what the exchange says."""
        believed = {"AUD": CASH}
        for fill in self.fills.values():
            sign = 1 if fill.side is Side.BUY else -1
            believed["AUD"] -= sign * fill.total_aud
            believed[fill.coin] = believed.get(fill.coin, ZERO) + sign * fill.quantity
        return {coin: held for coin, held in believed.items() if held}, await self.venue.balances()


@pytest.fixture
async def control(exchange):
    control = SandboxControl(exchange.url, exchange.token_file)
    yield control
    await control.misbehave()
    await control.close()


@pytest.fixture
async def customer(exchange, control):
    credentials = await control.open_account(f"hostile {uuid4()}", CASH)
    client = CoinspotClient(exchange.url, credentials, MemoryNonces(), account="a", timeout_s=5.0)
    prices = CoinspotPrices(exchange.url, control)
    yield Customer(CoinspotVenue(client, Terms(frozenset({"BTC"})), lag_s=SANDBOX_LAG_S), control, prices)
    await client.close()
    await prices.close()


async def test_each_kind_strikes_where_it_fits(control, customer):
    """None of them is a fault that never happens."""
    struck = set()
    first = await customer.order("BTC", Side.BUY, "0.001")
    await customer.carry_out(first)
    # Before a board is old, more of them must have been shown than here; and no order is left on the book.
    kinds = set(FaultKind) - {FaultKind.OLD_PRICES, FaultKind.LAGGING_ORDERS}
    for kind in kinds:
        await customer.prices.latest()
        await control.step((await control.clock()).position)
        bought = await customer.order("BTC", Side.BUY, "0.01")
        await control.misbehave(seed=1, rate=1, kinds=[kind], most=2)
        with suppress(Unavailable):
            await customer.prices.latest()
        await customer.carry_out(bought)
        with suppress(Unavailable):
            await customer.venue.report(first.quoted_at)
        struck |= (await control.misbehave())["counts"].keys()
    assert struck == kinds


@pytest.mark.parametrize("coin", ["BTC", "PEPE"])
@pytest.mark.parametrize("kind", OF_ORDERS)
async def test_under_each_kind_of_fault_an_order_is_carried_out_once_and_its_owner_knows(control, customer, kind, coin):
    bought = await customer.order(coin, Side.BUY, QUANTITIES[coin])
    sold = replace(await customer.order(coin, Side.SELL, QUANTITIES[coin]), quantity=bought.quantity / 2)
    for intent in (bought, sold):
        await control.misbehave(seed=3, rate=1, kinds=[kind], most=2)
        placement = await customer.carry_out(intent)
        assert isinstance(placement, Placed)
        assert sum(fill.quantity for fill in placement.fills) == intent.quantity
        # One row alone is in order, however often it is shuffled.
        assert (await control.misbehave())["counts"].keys() == {kind} or kind == "shuffled-fills"
    believed, held = await customer.books()
    assert believed == held
    assert believed[coin] == sold.quantity


@pytest.mark.parametrize(
    "kind",
    ["lost-request", "lost-answer", "dropped", "half-answer", "error-before", "error-after", "html", "maintenance"],
)
async def test_an_order_whose_answer_is_lost_is_never_taken_for_refused(control, customer, kind):
    bought = await customer.order("BTC", Side.BUY, "0.1")
    await control.misbehave(seed=5, rate=1, kinds=[kind], most=1)
    with pytest.raises(OutcomeUnknown):
        await customer.venue.place(Approved(bought))


async def test_what_the_venue_did_not_look_at_is_sent_again_at_once_and_given_up_in_the_end(control, customer):
    bought = await customer.order("BTC", Side.BUY, "0.1")
    await control.misbehave(seed=5, rate=1, kinds=["rate-limited"], most=2)
    placed = await customer.carry_out(bought)
    assert (customer.outcomes, len(placed.fills)) == (["Placed"], 1)
    await control.misbehave(seed=5, rate=1, kinds=["rate-limited"])
    with pytest.raises(RateLimited):
        await customer.venue.place(Approved(replace(bought, client_order_id="other")))
    await control.misbehave()
    assert (await customer.venue.balances())["BTC"] == bought.quantity


async def test_an_order_whose_number_was_seen_may_have_been_carried_out_and_a_reading_is_asked_for_again(
    control, customer
):
    bought = await customer.order("BTC", Side.BUY, "0.1")
    await control.misbehave(seed=5, rate=1, kinds=["nonce-refused"], most=2)
    with pytest.raises(OutcomeUnknown, match="had this request already"):
        await customer.venue.place(Approved(bought))
    assert (await customer.venue.balances())["AUD"] == CASH
    assert (await control.misbehave())["counts"] == {"nonce-refused": 2}


@pytest.mark.parametrize("coin", ["BTC", "PEPE"])
@pytest.mark.parametrize("seed", range(3))
async def test_what_a_wrong_clock_stamped_is_found_and_has_one_name_for_good(control, customer, coin, seed):
    bought = await customer.order(coin, Side.BUY, QUANTITIES[coin])
    await control.misbehave(seed=seed, rate=1, kinds=["clock-skew"], most=1)
    placed = await customer.carry_out(bought)
    assert (await control.misbehave())["counts"] == {"clock-skew": 1}
    (fill,) = placed.fills
    assert 0 < abs((fill.executed_at - bought.quoted_at).total_seconds()) <= 60
    assert await customer.venue.find(bought, bought.quoted_at, frozenset()) == placed
    report = await customer.venue.report(bought.quoted_at - timedelta(minutes=2))
    assert [each.fill for each in report.fills] == [fill]


@pytest.mark.parametrize("seed", range(4))
async def test_an_answer_that_breaks_off_is_no_answer(control, customer, seed):
    """Whether the connection ends with it or not."""
    await control.misbehave(seed=seed, rate=1, kinds=["half-answer"])
    with pytest.raises(Unavailable, match=r"gave no answer|nothing that can be read"):
        await customer.venue.balances()


async def test_a_part_that_a_thin_book_fills_is_kept_and_its_rest_cancelled(control, customer):
    bought = await customer.order("BTC", Side.BUY, "0.5")
    await control.misbehave(seed=5, rate=1, kinds=["partial-fill"], most=1)
    placed = await customer.carry_out(bought)
    assert 0 < sum(fill.quantity for fill in placed.fills) < bought.quantity
    assert (await customer.venue.report(bought.quoted_at)).working == ()
    believed, held = await customer.books()
    assert believed == held


async def test_the_same_order_twice_is_told_apart_by_lists_that_lag(control, customer):
    """The fill of the first comes into a list that did not have it when the second was sent."""
    for number in range(6):
        intent = replace(await customer.order("PEPE", Side.BUY, "20"), client_order_id=f"alike {number}")
        await control.misbehave(seed=number, rate=0.7, kinds=["lagging-fills"])
        await customer.carry_out(intent)
    await control.misbehave()
    believed, held = await customer.books()
    assert believed == held
    assert len(customer.fills) == 6


async def test_a_report_is_the_account_as_of_one_moment_though_every_list_may_lag(control, customer):
    for number in range(4):
        intent = await customer.order("BTC", Side.BUY, "0.1")
        await customer.carry_out(intent)
        await control.misbehave(seed=number, rate=0.6, kinds=["lagging-fills", "lagging-balances", "duplicated-fills"])
        while True:
            with suppress(Unavailable):
                report = await customer.venue.report(intent.quoted_at)
                break
        await control.misbehave()
        believed, _ = await customer.books()
        assert report.balances == believed
        assert sorted(each.fill.fill_id for each in report.fills) == sorted(customer.fills)


@pytest.mark.parametrize("kind", sorted(FITTING[Asked.ACTION]))
async def test_whatever_goes_wrong_cancelling_all_says_so_or_leaves_nothing_open(control, customer, kind):
    bid = replace(await customer.order("BTC", Side.BUY, "1"), good_for_s=600.0)
    bid = replace(bid, quote_price_aud=bid.quote_price_aud / 2)
    assert (await customer.venue.place(Approved(bid))).open
    await control.misbehave(seed=2, rate=1, kinds=[kind], most=3)
    said = True
    while said:
        try:
            await customer.venue.cancel_all()
            said = False
        except (OutcomeUnknown, Unavailable):
            continue
    await control.misbehave()
    assert (await customer.venue.report(bid.quoted_at)).working == ()


@pytest.mark.parametrize("seed", range(2))
async def test_under_all_faults_at_once_no_order_is_carried_out_twice_and_none_is_lost(control, customer, seed):
    for number in range(12):
        await control.misbehave()
        coin, side = ("BTC", "PEPE")[number % 2], Side.SELL if number % 6 > 3 else Side.BUY
        intent = await customer.order(coin, side, QUANTITIES[coin])
        await control.misbehave(seed=100 * seed + number, rate=0.3, kinds=HARMLESS)
        assert isinstance(await customer.carry_out(intent), Placed)
    await control.misbehave()
    believed, held = await customer.books()
    assert believed == held
    assert len(customer.fills) > 8


@pytest.mark.parametrize("kind", sorted({*FITTING[Asked.PRICES]} - {FaultKind.OLD_PRICES}))
async def test_prices_that_are_handed_on_are_usable_and_the_others_are_named(control, kind):
    prices = CoinspotPrices(control.base_url, control, timeout_s=5.0)
    await prices.latest()
    await control.step((await control.clock()).position)
    now = await prices.latest()
    await control.misbehave(seed=4, rate=1, kinds=[kind], most=1)
    try:
        board = await prices.latest()
    except Unavailable:
        board = None
    counts = (await control.misbehave())["counts"]
    assert counts == {kind: 1}
    match kind:
        case FaultKind.CROSSED_PRICES:
            assert board is None or (board.faults and board.quotes.items() < now.quotes.items())
            assert board is None or all("is above ask" in fault for fault in board.faults)
        case FaultKind.NAN_PRICES:
            assert board is None or (board.faults and board.quotes.items() < now.quotes.items())
        case FaultKind.STALE_PRICES:
            # Nothing in the answer says so: whoever knows what was shown before must.
            assert (board.faults, board.quotes.keys()) == ((), now.quotes.keys())
            assert board.quotes != now.quotes
        case FaultKind.LATENCY:
            assert board == now
        case _:
            assert board is None
    await prices.close()
