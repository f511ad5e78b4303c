"""Orders in slices that are ended or moved: nothing of them is sent that nobody wants."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from omc.errors import Conflict, Unavailable
from omc.risk.kill_switch import Halt
from omc.trading.blotter import MemoryBlotter
from omc.trading.execution import Execution
from omc.trading.fill import Side
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.outcome import FORSAKEN
from tests.actors.orders.test_slices import SLICED, Slicing

S = OrderStatus
DAY = Execution(slice_above_aud=Decimal(20), slices=4, over_s=1200.0, good_for_s=86_400.0)


class Hesitant(MemoryBlotter):
    """A store that cannot be reached when a certain order is to be written ahead."""

    away_for = ""

    async def submitting(self, order: Order, *leases: Any) -> Order:
        if self.away_for and order.intent.client_order_id.endswith(self.away_for):
            raise Unavailable("the database cannot be reached")
        return await super().submitting(order, *leases)


class Cut(Slicing):
    """One whose second slice is journaled and not sent."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.answer: asyncio.Task[Any]
        self.blotter = self.hesitant = Hesitant(self.deployments, self.leases, self.kill_switch)

    async def hold(self) -> None:
        for _ in range(2):
            await self.sending(self.intent("5"))
            self.show(bars=1)

    async def cut_short(self, intent: OrderIntent) -> None:
        self.hesitant.away_for = ":s1"
        desk = self.risk()
        sending = asyncio.create_task(desk.submit(intent, self.lease))
        await self.until(lambda: self.all_ended(1))
        self.show(bars=1)
        with pytest.raises(Unavailable):
            await sending
        self.hesitant.away_for = ""

    async def stopped(self) -> None:
        """By an emergency stop of its owner's."""
        owner = self.ours.user_id
        self.risk().trip(Halt(owner, self.clock.now(), "enough"))
        await self.kill_switch.trip(owner, "enough")
        await self.deployments.pause_all(owner, "enough")

    def second(self) -> Order:
        return self.slices()[1]


@pytest.fixture
async def book() -> AsyncIterator[Cut]:
    book = Cut(execution=SLICED)
    await book.begin()
    yield book
    await book.close()


@pytest.mark.parametrize("halted", [False, True], ids=["trading", "halted"])
@pytest.mark.parametrize("side", list(Side))
async def test_ending_an_order_sends_no_slice_that_was_not_sent(book: Cut, side: Side, halted: bool) -> None:
    await book.hold()
    intent = book.intent(side=side)
    await book.cut_short(intent)
    taken = book.orders_taken()
    if halted:
        await book.stopped()
    ended = await book.cancel(intent.client_order_id, "its owner asked")
    assert (ended.status, ended.message, ended.filled_quantity) == (S.CANCELLED, "its owner asked", Decimal("2.5"))
    assert book.orders_taken() == taken
    assert (book.second().status, book.second().message) == (S.DENIED, "withdrawn: its owner asked")
    await book.books_agree()


async def test_a_desk_that_finds_a_slice_unsent_and_no_trader_does_not_send_it(book: Cut) -> None:
    await book.hold()
    intent = book.intent(side=Side.SELL)
    await book.cut_short(intent)
    taken = book.orders_taken()
    book.bury()
    await book.stopped()
    await book.until(lambda: book.is_at(intent, S.CANCELLED))
    assert book.orders_taken() == taken
    assert (book.second().status, book.second().message) == (S.DENIED, f"withdrawn: {FORSAKEN}")


async def test_an_order_in_slices_that_was_left_keeps_nothing_from_being_sold_out(book: Cut) -> None:
    await book.hold()
    await book.cut_short(book.intent(side=Side.SELL))
    book.bury()
    await book.stopped()
    report = await book.halt(book.ours.user_id, True)
    assert report.problems == ()
    assert book.wallet.balance("ETH") == 0
    await book.books_agree()


async def resting_slice(book: Cut) -> OrderIntent:
    """One whose first slice takes what there is, and waits on the book for the rest."""
    intent = book.intent()
    book.answer = book.sending(intent)
    await book.until(lambda: any(each.status is S.PARTIAL for each in book.slices()))
    return intent


@pytest.fixture
async def thin() -> AsyncIterator[Cut]:
    """One coin a bar is to be had."""
    book = Cut(depth_aud="3", execution=DAY)
    await book.begin()
    yield book
    await book.close()


async def test_ending_an_order_takes_its_slice_off_the_book(thin: Cut) -> None:
    intent = await resting_slice(thin)
    ended = await thin.cancel(intent.client_order_id, "its owner asked")
    assert (ended.status, ended.message, ended.filled_quantity) == (S.CANCELLED, "its owner asked", Decimal(1))
    assert [(each.status, each.message) for each in thin.slices()] == [(S.CANCELLED, "its owner asked")]
    await thin.books_agree()


async def test_what_one_slice_does_not_get_is_shared_out_among_the_others(book: Cut) -> None:
    book.exchange.paper._depth_aud = Decimal(3)
    intent = book.intent()
    sending = book.sending(intent)
    for number in range(1, 5):
        await book.until(lambda count=number: book.all_ended(count))  # type: ignore[misc]
        if number == 2:
            book.exchange.paper._depth_aud = None
        book.show(bars=1)
    order = await sending
    # One coin of 2.5, one of 9 / 3, and then half of what is left, and all of it.
    assert [each.intent.quantity for each in book.slices()] == [Decimal(each) for each in ("2.5", "3", "4", "4")]
    assert (order.status, order.filled_quantity) == (S.FILLED, Decimal(10))
    await book.books_agree()


async def test_a_slice_that_its_owner_takes_back_is_not_made_up_for(thin: Cut) -> None:
    intent = await resting_slice(thin)
    thin.exchange.paper._depth_aud = None
    await thin.cancel(thin.slices()[0].intent.client_order_id, "its owner asked")
    for number in range(2, 5):
        thin.show(bars=1)
        await thin.until(lambda count=number: thin.all_ended(count))  # type: ignore[misc]
    assert (await thin.answer).filled_quantity == Decimal("8.5")
    assert (await thin.order(intent)).status is S.CANCELLED


async def test_an_order_in_slices_cannot_be_moved(thin: Cut) -> None:
    intent = await resting_slice(thin)
    with pytest.raises(Conflict, match="does not rest"):
        await thin.move(intent.client_order_id, "2.95")
    await thin.move(thin.slices()[0].intent.client_order_id, "2.95")
    assert [each.price_aud for each in thin.wallet.orders.values()] == [Decimal("2.95")]
    await thin.cancel(intent.client_order_id)
