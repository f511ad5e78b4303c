"""An account is closed for as long as its books cannot be believed: to what adds, and to sales of what is not there. It
opens by what is seen, and by what a person says, and by nothing else."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from actors.risk import RiskActor
from omc.errors import Conflict, Unavailable
from omc.market.quote import Quote, QuoteBoard
from omc.risk.verdict import DenialReason, Denied
from omc.trading.deployment import Deployment, DeploymentStatus, trader_name
from omc.trading.fill import Side
from omc.trading.floor import Choice
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus
from tests.actors.reconciling.accounts import ONE, TWO, Floor, in_doubt, until

AWAY = Unavailable("more than 500 completed orders")


def sale(floor: Floor, of: Deployment, quantity: str, coin: str = "ETH", row: int = 50) -> OrderIntent:
    bid = floor.exchange.paper.quote(coin).bid_aud
    return replace(floor.intent(of, quantity, coin, row), side=Side.SELL, quote_price_aud=bid)


@dataclass
class Pauses:
    """A Cadence of which somebody changes the pauses."""

    each_s: float = 0.001

    def pause_s(self, faults: int) -> float:
        return self.each_s


async def renewed(floor: Floor, of: Deployment) -> None:
    """Its trader sits down anew."""
    floor.leases_of[of.id] = Lease(trader_name(of), await floor.leases.current(trader_name(of)))


async def test_of_a_closed_account_what_is_there_may_be_sold_and_nothing_is_bought(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(TWO))
    await floor.sends(desk, floor.intent(ONE, coin="BTC", quantity="0.01"))
    floor.by_hand(ONE.account, Side.SELL, "BTC", "0.004")
    closed = (await desk.reconcile(TWO.id)).closed
    assert closed == "BTC: our books claim 0.01, the venue holds 0.006"
    for no, intent in ((closed, floor.intent(TWO, "1", row=1)), ("holds 0.006 BTC", sale(floor, ONE, "0.007", "BTC"))):
        denied = await floor.sends(desk, intent)
        assert isinstance(denied, Denied)
        assert (denied.reason, no in denied.message) == (DenialReason.ACCOUNT_CLOSED, True)
    for intent in (sale(floor, TWO, "100"), sale(floor, ONE, "0.006", "BTC", row=51)):
        sold = await floor.sends(desk, intent)
        assert isinstance(sold, Order)
        assert sold.status is OrderStatus.FILLED


async def test_coins_of_a_stopped_deployment_that_its_owner_sold_are_accepted_as_gone(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE))
    await floor.deployments.set_status(ONE.id, DeploymentStatus.STOPPED, "for good")
    floor.by_hand(ONE.account, Side.SELL, "ETH", "100")
    assert (await desk.reconcile(TWO.id)).closed == "ETH: our books claim 100, the venue holds 0"
    found = await desk.accept(TWO.id, "its owner")
    assert (found.closed, found.differences) == (None, ())
    assert (await floor.blotter.account(ONE.id)).position("ETH").quantity == 0
    assert isinstance(await floor.sends(desk, floor.intent(TWO)), Order)
    assert (await (await floor.up()).reconcile(TWO.id)).closed is None


async def resting(floor: Floor, desk: RiskActor, intent: OrderIntent) -> asyncio.Task[Any]:
    task = asyncio.create_task(floor.sends(desk, intent))

    async def rests() -> bool:
        order = await floor.blotter.order(intent.client_order_id)
        return order is not None and order.status is OrderStatus.ACCEPTED

    await until(rests)
    return task


def at(floor: Floor, factor: int) -> None:
    """The market moves."""
    paper = floor.exchange.paper
    quotes = {
        coin: Quote(coin, each.bid_aud * factor, each.ask_aud * factor, each.last_aud * factor)
        for coin, each in paper.board.quotes.items()
    }
    paper.show(QuoteBoard(paper.board.time, quotes))


async def test_nothing_is_accepted_out_from_under_a_sale_that_rests(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE))
    await floor.sends(desk, floor.intent(TWO, quantity="60"))
    dear = replace(sale(floor, ONE, "100"), good_for_s=3600.0)
    dear = replace(dear, quote_price_aud=dear.quote_price_aud * 2)
    task = await resting(floor, desk, dear)
    floor.by_hand(ONE.account, Side.SELL, "ETH", "60")
    assert (await desk.reconcile(TWO.id)).closed is not None
    found = await desk.accept(TWO.id, "its owner")
    assert (found.closed, found.differences) == (None, ())
    held = [(await floor.blotter.account(each.id)).position("ETH").quantity for each in (ONE, TWO)]
    assert held == [Decimal(100), Decimal(0)]
    at(floor, 3)
    sold = await task
    assert isinstance(sold, Order)
    assert (sold.status, sold.filled_quantity) == (OrderStatus.FILLED, Decimal(100))
    found = await desk.reconcile(TWO.id)
    assert (found.closed, found.differences, found.ours.get("ETH")) == (None, (), None)


async def test_what_only_a_sale_that_rests_could_give_is_accepted_when_it_has_ended(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE))
    dear = replace(sale(floor, ONE, "100"), good_for_s=3600.0)
    dear = replace(dear, quote_price_aud=dear.quote_price_aud * 2)
    task = await resting(floor, desk, dear)
    floor.exchange.paper.wallet(ONE.account).coins["ETH"] -= 30
    with pytest.raises(Conflict, match=f"30 ETH more are missing than is free: {dear.client_order_id} must end first"):
        await desk.accept(ONE.id, "its owner")
    assert (await floor.blotter.account(ONE.id)).position("ETH").quantity == 100
    assert await floor.kinds("synthetic") == []
    await desk.cancel(dear.client_order_id, "by its owner")
    await task
    assert (await desk.accept(ONE.id, "its owner")).closed is None
    assert (await floor.blotter.account(ONE.id)).position("ETH").quantity == 70


async def test_an_order_in_doubt_hides_no_shortage_that_it_cannot_have_made(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE))
    await in_doubt(floor, desk)
    assert (await desk.reconcile(ONE.id)).closed is None
    floor.exchange.paper.wallet(ONE.account).coins["ETH"] -= 100
    found = await desk.reconcile(ONE.id)
    assert found.closed == "ETH: our books claim 100, the venue holds 0"
    denied = await floor.sends(desk, floor.intent(TWO, coin="BTC", quantity="0.01"))
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.ACCOUNT_CLOSED


async def test_an_order_in_doubt_opens_no_account_that_was_closed(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE))
    wallet = floor.exchange.paper.wallet(ONE.account)
    wallet.cash_aud = Decimal("19000.00")
    closed = (await desk.reconcile(ONE.id)).closed
    assert closed is not None
    assert closed.startswith("AUD: our books claim")
    # Sent by a desk that died; it could have cost just what is missing.
    order = await floor.blotter.begin(floor.intent(ONE, coin="XYZ", quantity="10000", row=5))
    risk = Lease("risk:0", await floor.leases.current("risk:0"))
    await floor.blotter.submitting(order, floor.leases_of[ONE.id], risk)
    found = await desk.reconcile(ONE.id)
    assert (found.closed, found.waiting) == (closed, (order.intent.client_order_id,))
    assert isinstance(await floor.sends(desk, floor.intent(TWO, coin="BTC", quantity="0.01")), Denied)


async def test_an_account_that_cannot_be_compared_any_more_is_closed_until_it_can(floor: Floor) -> None:
    desk = await floor.up(reconcile_every_s=0.01)
    await floor.sends(desk, floor.intent(ONE))
    await desk.reconcile(ONE.id)
    venue = floor.accounts[ONE.account]
    venue.before["report"] = [AWAY] * 1_000_000

    async def closed() -> bool:
        known = await floor.venue_book.known(ONE.account)
        return known is not None and known.compared is not None and known.compared.closed is not None

    await until(closed)
    known = await floor.venue_book.known(ONE.account)
    assert known is not None
    assert known.compared is not None
    assert known.compared.closed == known.compared.unread == f"the account cannot be compared with its venue: {AWAY}"
    assert known.compared.ours["ETH"] == 100
    assert await floor.kinds("reconciliation") == ["reconciliation"]
    denied = await floor.sends(desk, floor.intent(ONE, row=1))
    assert isinstance(denied, Denied)
    assert (denied.reason, denied.message) == (DenialReason.ACCOUNT_CLOSED, known.compared.closed)
    sold = await floor.sends(desk, sale(floor, ONE, "100"))
    assert isinstance(sold, Order)
    assert sold.status is OrderStatus.FILLED
    venue.before.clear()

    rows = count(2)

    async def opened() -> bool:
        return isinstance(await floor.sends(desk, floor.intent(ONE, row=next(rows))), Order)

    await until(opened)
    assert await floor.kinds("reconciliation") == ["reconciliation"] * 2


async def test_while_a_shortage_is_looked_at_again_its_account_goes_on(floor: Floor) -> None:
    """A look at a venue whose lists lag takes its time; nobody waits for the pauses in between."""
    desk = await floor.up(cadence=Pauses(3600.0), reconcile_every_s=3600.0)
    await floor.sends(desk, floor.intent(ONE))
    await floor.sends(desk, floor.intent(TWO))
    floor.by_hand(ONE.account, Side.SELL, "ETH", "120")
    venue = floor.accounts[ONE.account]
    looked, report = asyncio.Event(), venue.report

    async def seen(since: Any) -> Any:
        looked.set()
        return await report(since)

    venue.report = seen  # type: ignore[method-assign]
    comparing = asyncio.create_task(desk.reconcile(ONE.id))
    await looked.wait()
    async with asyncio.timeout(20):
        sold = await floor.sends(desk, sale(floor, TWO, "10"))
    assert isinstance(sold, Order)
    assert not comparing.done()
    comparing.cancel()


async def test_a_shortage_that_was_looked_at_long_enough_is_accepted_without_looking_as_long(floor: Floor) -> None:
    pauses = Pauses()
    desk = await floor.up(cadence=pauses, reconcile_every_s=3600.0)
    await floor.sends(desk, floor.intent(ONE))
    floor.by_hand(ONE.account, Side.SELL, "ETH", "100")
    await desk.reconcile(ONE.id)
    pauses.each_s = 3600.0
    async with asyncio.timeout(20):
        assert (await desk.accept(ONE.id, "its owner")).closed is None


async def test_the_same_operation_accepts_what_is_missing_once(floor: Floor) -> None:
    desk, once = await floor.up(), uuid4()
    await floor.sends(desk, floor.intent(ONE))
    floor.by_hand(ONE.account, Side.SELL, "ETH", "10")
    first = await desk.accept(ONE.id, "its owner", once)
    assert first.ours["ETH"] == 90
    floor.by_hand(ONE.account, Side.SELL, "ETH", "10")
    desk = await floor.up()
    assert await desk.accept(ONE.id, "its owner", once) == first
    assert (await desk.reconcile(ONE.id)).closed == "ETH: our books claim 90, the venue holds 80"
    assert (await desk.accept(ONE.id, "its owner", uuid4())).ours["ETH"] == 80


async def test_what_an_order_that_is_known_would_have_made_once_more_waits_for_a_person(floor: Floor) -> None:
    desk = await floor.up()
    bought = await floor.sends(desk, floor.intent(ONE))
    assert isinstance(bought, Order)
    name, cash = bought.intent.client_order_id, floor.exchange.paper.wallet(ONE.account).cash_aud
    floor.by_hand(ONE.account, Side.BUY, "ETH", "100")
    found = await desk.reconcile(ONE.id)
    assert (found.closed, found.waiting) == (None, (name,))
    assert any("ETH" in text for text in found.differences)
    assert await floor.kinds("external") == []
    (waiting,) = await floor.venue_book.held(user_id=ONE.user_id)
    assert waiting.client_order_id == name
    # Its coin waits, on the whole account; what is held of it may go, and other coins are traded.
    denied = await floor.sends(desk, floor.intent(TWO, row=1))
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.UNRESOLVED
    assert isinstance(await floor.sends(desk, sale(floor, ONE, "50")), Order)
    assert isinstance(await floor.sends(desk, floor.intent(TWO, coin="BTC", quantity="0.01", row=2)), Order)
    with pytest.raises(Conflict, match="first it must be known"):
        await desk.accept(ONE.id, "its owner")
    desk = await floor.up()
    assert (await desk.reconcile(TWO.id)).waiting == (name,)

    settled = await desk.resolve(name, Choice(), "its owner")
    assert settled == await floor.blotter.order(name)
    found = await desk.reconcile(ONE.id)
    assert (found.differences, found.waiting, found.external["ETH"]) == ((), (), Decimal(100))
    assert cash - floor.exchange.paper.wallet(ONE.account).cash_aud > 0
    assert await floor.kinds("external") == ["external"]
    await renewed(floor, TWO)
    assert isinstance(await floor.sends(desk, floor.intent(TWO, row=3)), Order)


async def test_a_person_may_say_that_it_was_that_order_once_more(floor: Floor) -> None:
    desk = await floor.up()
    bought = await floor.sends(desk, floor.intent(ONE, quantity="100"))
    assert isinstance(bought, Order)
    name = bought.intent.client_order_id
    floor.by_hand(ONE.account, Side.BUY, "ETH", "100")
    await desk.reconcile(ONE.id)
    (waiting,) = await floor.venue_book.held(user_id=ONE.user_id)
    (candidate,) = waiting.candidates
    chosen = Choice((candidate.fills[0].fill_id,))
    settled = await desk.resolve(name, chosen, "its owner")
    assert (settled.status, settled.filled_quantity) == (OrderStatus.FILLED, Decimal(200))
    found = await desk.reconcile(ONE.id)
    assert (found.differences, found.waiting, found.ours["ETH"]) == ((), (), Decimal(200))
    assert await floor.kinds("external") == []


async def test_a_person_is_asked_once_however_many_orders_alike_were_sent_meanwhile(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE))
    floor.by_hand(ONE.account, Side.BUY, "ETH", "70")
    first = await floor.sends(desk, sale(floor, ONE, "30"))
    assert isinstance(first, Order)
    await desk.reconcile(ONE.id)
    floor.by_hand(ONE.account, Side.SELL, "ETH", "30")
    name = first.intent.client_order_id
    assert (await desk.reconcile(ONE.id)).waiting == (name,)
    again = sale(floor, ONE, "30")
    assert isinstance(await floor.sends(desk, replace(again, client_order_id=f"{name}:2")), Order)
    await desk.resolve(name, Choice(), "its owner")
    found = await desk.reconcile(ONE.id)
    assert (found.differences, found.waiting, found.external["ETH"]) == ((), (), Decimal(40))
    assert await floor.venue_book.held(user_id=ONE.user_id) == []


async def test_an_account_that_nobody_trades_any_more_is_not_looked_at_any_more(floor: Floor) -> None:
    desk = await floor.up(reconcile_every_s=0.01)
    await desk.reconcile(ONE.id)
    for each in (ONE, TWO):
        await floor.deployments.set_status(each.id, DeploymentStatus.STOPPED, "for good")

    async def left() -> bool:
        return ONE.account not in desk._reconciler._standings

    await until(left)
    # Asked for, it is looked at.
    assert (await desk.reconcile(ONE.id)).closed is None
    await until(left)


async def test_hand_trades_of_before_the_account_was_opened_are_never_told(floor: Floor) -> None:
    paper = floor.exchange.paper
    floor.by_hand(ONE.account, Side.BUY, "XYZ", "1000")
    paper.show(QuoteBoard(paper.board.time.replace(hour=2), paper.board.quotes))

    class Shown:
        async def newest(self) -> QuoteBoard:
            return paper.board

    desk = await floor.up(quotes=Shown())
    assert (await desk.reconcile(ONE.id)).told == ()
    paper.wallet(ONE.account).cash_aud += 500
    found = await desk.reconcile(ONE.id)
    assert (found.told, found.differences) == (("500.00 AUD came by no order",), ())
    assert await floor.kinds("external") == ["external"]
