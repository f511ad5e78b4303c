"""The risk desk, constructed without Ray: one intent, at most one order, whatever the venue answers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from actors.risk import RiskActor
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.errors import OutcomeUnknown, StaleLease, Unavailable
from omc.market.terms import OrderKind
from omc.risk.limits import Limits
from omc.risk.verdict import Approved, DenialReason, Denied
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import Deployment, DeploymentStatus, trader_name
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.paper.exchange import MemoryAccount
from omc.trading.venue import Absent, Placed
from tests.actors.mortal import START, TERMS, USER, House, deployment, market

TIMEOUT = OutcomeUnknown("no answer")
OURS = deployment()


class Unreliable:
    """An account whose next calls fail before or after the venue acts, or that answers something else."""

    def __init__(self, account: MemoryAccount) -> None:
        self.account = account
        self.before: dict[str, list[Exception]] = {}
        self.after: dict[str, list[Exception]] = {}
        self.instead: dict[str, list[Any]] = {}

    async def _call(self, name: str, *args: Any) -> Any:
        if self.before.get(name):
            raise self.before[name].pop(0)
        answer = await getattr(self.account, name)(*args)
        if self.after.get(name):
            raise self.after[name].pop(0)
        return self.instead[name].pop(0) if self.instead.get(name) else answer

    async def place(self, *args: Any) -> Any:
        return await self._call("place", *args)

    async def find(self, *args: Any) -> Any:
        return await self._call("find", *args)

    async def cancel(self, *args: Any) -> None:
        await self._call("cancel", *args)

    async def cancel_all(self) -> int:
        return int(await self._call("cancel_all"))

    async def report(self, *args: Any) -> Any:
        return await self._call("report", *args)

    @property
    def slow_s(self) -> float:
        return self.account.slow_s

    async def unlisted(self, *args: Any) -> Any:
        return await self._call("unlisted", *args)

    async def balances(self) -> Mapping[str, Decimal]:
        answer: Mapping[str, Decimal] = await self._call("balances")
        return answer


class Floor(House):
    """A house with one unreliable account and one trader's lease."""

    def __init__(self) -> None:
        tape, _ = market(10, gaps=0.0)
        super().__init__(tape, lambda *_: None)
        self.venue = Unreliable(MemoryAccount(self.exchange.paper, str(OURS.id)))
        self.lease = Lease(trader_name(OURS), 1)

    async def begin(self) -> None:
        await self.deployments.create(OURS)
        await self.deployments.create(deployment(2))
        self.lease = await self.leases.take(trader_name(OURS), "test")
        await self.newest_quotes()
        self.exchange.paper.open_account(str(OURS.id), OURS.cash_aud)

    async def newest_quotes(self) -> None:
        while await self.newest() is None:  # noqa: ASYNC110 - a hot cache tells only who waits
            await asyncio.sleep(0.001)

    async def open(self, of: Deployment) -> Any:
        return self.venue if of.id == OURS.id else await self.exchange.open(of)

    def desk(self) -> RiskActor:
        """A new risk desk, as after a death."""
        return RiskActor(replace(self.risk_ports(), venues=self), retire=lambda: None)

    def sent(self) -> int:
        return len(self.venue.account.placed)

    def intent(self, side: Side = Side.BUY, quantity: str = "100", coin: str = "ETH", row: int = 0) -> OrderIntent:
        quote = self.exchange.paper.quote(coin)
        at = START + row * timedelta(minutes=5)
        return OrderIntent(
            client_order_id(OURS.id, at, coin, Turn.SALE if side is Side.SELL else Turn.PURCHASE),
            OURS.id,
            USER,
            coin,
            side,
            Decimal(quantity),
            OrderKind.MARKET,
            quote.ask_aud if side is Side.BUY else quote.bid_aud,
            at,
            at,
            "a test's",
        )


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    house = Floor()
    await house.begin()
    yield house
    await house.close()


async def submitted(desk: RiskActor, intent: OrderIntent, lease: Lease) -> Order | Denied:
    while True:
        try:
            return await desk.submit(intent, lease)
        except Unavailable:
            await asyncio.sleep(0.001)


async def up(desk: RiskActor) -> None:
    """Return when the desk has recovered."""
    await desk._task


async def test_an_order_is_filled_and_counted_once(floor: Floor) -> None:
    desk = floor.desk()
    first = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(first, Order)
    assert first.status is OrderStatus.FILLED
    assert await submitted(desk, floor.intent(), floor.lease) == first
    assert floor.sent() == 1
    assert (await floor.blotter.account(OURS.id)).position("ETH").quantity == 100
    assert (await desk.reconcile(OURS.id)).differences == ()


async def test_many_callers_with_one_intent_get_one_order(floor: Floor) -> None:
    desk = floor.desk()
    answers = await asyncio.gather(*(submitted(desk, floor.intent(), floor.lease) for _ in range(20)))
    assert len({answer.fills[0].fill_id for answer in answers if isinstance(answer, Order)}) == 1
    assert floor.sent() == 1


async def test_an_answer_lost_after_the_venue_acted_is_found_not_sent_again(floor: Floor) -> None:
    floor.venue.after["place"] = [TIMEOUT]
    floor.venue.before["find"] = [TIMEOUT, Unavailable("maintenance")]
    order = await submitted(floor.desk(), floor.intent(), floor.lease)
    assert isinstance(order, Order)
    assert order.status is OrderStatus.FILLED
    assert floor.sent() == 1


@pytest.mark.parametrize("fault", [TIMEOUT, Unavailable("busy")], ids=["unknown", "unavailable"])
async def test_an_order_that_never_arrived_is_sent_again_while_its_quote_stands(floor: Floor, fault: Exception) -> None:
    floor.venue.before["place"] = [fault, fault]
    order = await submitted(floor.desk(), floor.intent(), floor.lease)
    assert isinstance(order, Order)
    assert order.status is OrderStatus.FILLED
    assert floor.sent() == 1
    kinds = [entry.kind for entry in (await floor.blotter.journal(USER, OURS.id, (), 0, 50))[0]]
    assert kinds[::-1][1:] == ["intent", *("submitted", "unknown") * 2, "submitted", "filled", "position", "pnl"]


async def test_an_order_that_never_arrived_fails_once_its_quote_is_old(floor: Floor) -> None:
    old = replace(floor.intent(), quoted_at=START - timedelta(seconds=61))
    floor.venue.before["place"] = [TIMEOUT]
    order = await submitted(floor.desk(), old, floor.lease)
    assert isinstance(order, Order)
    assert order.status is OrderStatus.REJECTED
    assert "too old" in (order.message or "")
    assert floor.sent() == 0


async def test_an_order_that_the_venue_took_is_never_sent_again_however_late_it_is_listed(floor: Floor) -> None:
    floor.venue.instead["place"] = [Placed(None, (), open=True)]
    floor.venue.before["find"] = [TIMEOUT]
    floor.venue.instead["find"] = [Absent(), Absent(), Absent()]
    order = await submitted(floor.desk(), floor.intent(), floor.lease)
    assert isinstance(order, Order)
    assert order.status is OrderStatus.FILLED
    assert floor.sent() == 1
    assert (await floor.blotter.account(OURS.id)).position("ETH").quantity == 100


async def test_a_limit_order_that_was_taken_and_left_no_trace_was_cancelled(floor: Floor) -> None:
    floor.venue.instead["place"] = [Placed("an id", (), open=True)]
    too_low = replace(floor.intent(), quote_price_aud=Decimal("0.05"))
    order = await submitted(floor.desk(), too_low, floor.lease)
    assert isinstance(order, Order)
    assert (order.status, order.venue_order_id) == (OrderStatus.CANCELLED, "an id")
    assert floor.sent() == 1


async def test_a_venue_that_looks_back_before_the_quote_is_told_what_was_counted_there(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(quantity="100"), floor.lease)
    await submitted(desk, floor.intent(Side.SELL, quantity="10"), floor.lease)

    class LooksBack(Unreliable):
        async def find(
            self, intent: OrderIntent, since: Any, known: frozenset[str], order_id: str | None = None
        ) -> Any:
            return await super().find(intent, since - timedelta(minutes=2), known, order_id)

    looking = LooksBack(floor.venue.account)
    looking.before["place"] = [TIMEOUT]
    floor.venue = looking
    # A minute on, by the market's clock: the sale before it still stands in the venue's lists.
    later = replace(floor.intent(Side.SELL, quantity="90"), quoted_at=START + timedelta(seconds=50))
    order = await submitted(floor.desk(), replace(later, client_order_id="later"), floor.lease)
    assert isinstance(order, Order)
    assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, Decimal(90))
    assert set(await floor.venue.balances()) == {"AUD"}


async def test_a_desk_that_was_replaced_while_it_sends_has_sent_nothing(floor: Floor) -> None:
    """It wrote ahead, then stood still; its successor found no trace of the order and sent it."""
    nonces, sent = MemoryNonces(leases=floor.leases), floor.venue.account.place

    class Stalls:
        def __getattr__(self, name: str) -> Any:
            return getattr(floor.venue, name)

        async def place(self, approved: Approved) -> Any:
            await floor.leases.take("risk:0", "its successor")
            await nonces.next("ours", 1, approved.sender)
            return await sent(approved)

    retired = []
    venue = Stalls()

    class Opens:
        async def open(self, _: Deployment) -> Any:
            return venue

    desk = RiskActor(replace(floor.risk_ports(), venues=Opens()), retire=lambda: retired.append(True))
    await up(desk)
    with pytest.raises(Unavailable, match="replaced"):
        await desk.submit(floor.intent(), floor.lease)
    assert retired == [True]
    assert floor.sent() == 0


async def test_a_refusal_by_the_venue_is_a_failed_order(floor: Floor) -> None:
    await floor.deployments.create(deployment(3))
    desk = floor.desk()
    await up(desk)
    # Gone after the books were compared.
    await desk.reconcile(OURS.id)
    floor.exchange.paper.wallet(str(OURS.id)).cash_aud = Decimal(1)
    order = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(order, Order)
    assert (order.status, order.message) == (OrderStatus.REJECTED, "Insufficient AUD funds")


async def test_a_new_desk_settles_what_the_old_one_left_before_it_takes_on_more_of_that_coin(floor: Floor) -> None:
    first = floor.intent()
    order = await floor.blotter.begin(first)
    risk = await floor.leases.take("risk:0", "dead")
    order = await floor.blotter.submitting(order, floor.lease, risk)
    floor.venue.before["find"] = [TIMEOUT] * 3
    second = await submitted(floor.desk(), replace(floor.intent(quantity="50"), client_order_id="second"), floor.lease)
    assert isinstance(second, Order)
    assert [intent.quantity for intent in floor.venue.account.placed] == [100, 50]
    settled = await floor.blotter.order(first.client_order_id)
    assert settled is not None
    assert settled.status is OrderStatus.FILLED


async def test_another_account_need_not_wait_for_an_order_that_cannot_be_found(floor: Floor) -> None:
    order = await floor.blotter.begin(floor.intent())
    await floor.blotter.submitting(order, floor.lease, await floor.leases.take("risk:0", "dead"))
    floor.venue.before["find"] = [TIMEOUT] * 1_000_000
    desk = floor.desk()
    other = deployment(2)
    lease = await floor.leases.take(trader_name(other), "test")
    intent = replace(floor.intent(), deployment_id=other.id, client_order_id="another's")
    answer = await asyncio.wait_for(submitted(desk, intent, lease), 60)
    assert isinstance(answer, Order)
    assert answer.status is OrderStatus.FILLED
    report = await asyncio.wait_for(desk.halt(USER, liquidate=True), 60)
    assert any("an order is still under way" in problem for problem in report.problems)


async def test_a_replaced_trader_sends_nothing(floor: Floor) -> None:
    desk = floor.desk()
    await floor.leases.take(trader_name(OURS), "its successor")
    with pytest.raises(StaleLease):
        await submitted(desk, floor.intent(), floor.lease)
    assert floor.sent() == 0
    assert await floor.blotter.unsettled() == []


async def test_a_replaced_desk_sends_nothing_and_retires(floor: Floor) -> None:
    retired = []
    desk = RiskActor(replace(floor.risk_ports(), venues=floor), retire=lambda: retired.append(True))
    await submitted(desk, floor.intent(), floor.lease)
    await floor.leases.take("risk:0", "its successor")
    # Whichever finds out first, the order or what compares its account meanwhile.
    with pytest.raises(Unavailable, match=r"replaced|stopped"):
        await desk.submit(floor.intent(row=1), floor.lease)
    assert retired == [True]
    assert floor.sent() == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": DeploymentStatus.PAUSED}, DenialReason.NOT_ACTIVE),
        ({"limits": Limits(Decimal(10), Decimal(1000), Decimal(1000))}, DenialReason.ORDER_TOO_LARGE),
        ({"limits": Limits(Decimal(1000), Decimal(10), Decimal(1000))}, DenialReason.POSITION_TOO_LARGE),
    ],
    ids=["paused", "order", "position"],
)
async def test_our_no_is_stored_and_given_again(floor: Floor, change: dict[str, Any], reason: DenialReason) -> None:
    floor.deployments.kept[OURS.id] = replace(OURS, **change)
    desk = floor.desk()
    denied = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(denied, Denied)
    assert denied.reason is reason
    floor.deployments.kept[OURS.id] = OURS
    assert await submitted(desk, floor.intent(), floor.lease) == denied
    assert floor.sent() == 0


async def test_the_kill_switch_denies_even_sales(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    await floor.kill_switch.trip(USER, "enough")
    denied = await submitted(desk, floor.intent(Side.SELL), floor.lease)
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.KILL_SWITCH


async def test_an_emergency_stop_sells_out_through_the_kill_switch(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    await submitted(desk, floor.intent(coin="BTC", quantity="0.01"), floor.lease)
    await floor.kill_switch.trip(USER, "enough")
    await floor.deployments.pause_all(USER, "enough")
    report = await desk.halt(USER, liquidate=True)
    assert report.problems == ()
    assert {order.intent.coin for order in report.sold} == {"ETH", "BTC"}
    assert set(await floor.venue.balances()) == {"AUD"}
    assert (await desk.reconcile(OURS.id)).differences == ()
    assert (await desk.halt(USER, liquidate=True)).sold == ()


async def test_an_emergency_stop_sells_what_a_stopped_deployment_still_holds(floor: Floor) -> None:
    await submitted(floor.desk(), floor.intent(), floor.lease)
    await floor.deployments.set_status(OURS.id, DeploymentStatus.STOPPED, "for good")
    await floor.kill_switch.trip(USER, "enough")
    desk = floor.desk()
    await up(desk)
    report = await desk.halt(USER, liquidate=True)
    assert report.problems == ()
    assert [order.intent.coin for order in report.sold] == ["ETH"]


async def test_an_emergency_stop_that_cannot_sell_one_coin_sells_the_others(floor: Floor) -> None:
    class Stumbles(MemoryBlotter):
        async def begin(self, intent: OrderIntent, *rest: Any) -> Order:
            if intent.coin == "ETH" and intent.side is Side.SELL:
                raise Unavailable("the database cannot answer now")
            return await super().begin(intent, *rest)

    desk = floor.desk()
    for coin, quantity in (("BTC", "0.01"), ("ETH", "100"), ("XYZ", "10")):
        bought = replace(floor.intent(coin=coin, quantity=quantity), kind=TERMS.kind(coin))
        await submitted(desk, bought, floor.lease)
    blotter = Stumbles(floor.deployments, floor.leases, floor.kill_switch)
    blotter._rows, blotter._accounts = floor.blotter._rows, floor.blotter._accounts
    floor.blotter = blotter
    desk = floor.desk()
    await up(desk)
    report = await desk.halt(USER, liquidate=True)
    assert [order.intent.coin for order in report.sold] == ["BTC", "XYZ"]
    assert report.problems == ("test 1: 100 ETH remain: the database cannot answer now",)


async def test_an_emergency_stop_says_what_it_could_not_do(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    floor.venue.before["cancel_all"] = [Unavailable("maintenance")]
    floor.exchange.paper.wallet(str(OURS.id)).coins.clear()
    report = await desk.halt(USER, liquidate=True)
    assert report.problems == (
        "test 1: open orders may remain: maintenance",
        "test 1: 100 ETH remain: Insufficient ETH funds",
    )


async def test_a_difference_from_the_venue_is_told(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    floor.exchange.paper.wallet(str(OURS.id)).coins["ETH"] += 1
    found = await desk.reconcile(OURS.id)
    assert found.differences == ("ETH: our books say 100, the venue says 101",)


async def test_a_stopped_desk_takes_on_nothing(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    await desk.stop()
    with pytest.raises(Unavailable, match="stopped"):
        await desk.submit(floor.intent(), floor.lease)
