"""Orders in slices that nobody goes on with: each comes to its end, and sends nothing that nobody asks for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from omc.errors import Ambiguous, OutcomeUnknown
from omc.trading.blotter import Rebalance, TraderMemory
from omc.trading.deployment import DeploymentStatus
from omc.trading.order import Order, OrderIntent, OrderStatus
from tests.actors.orders.test_slices import SLICED
from tests.actors.orders.test_slices_ended import Cut

S = OrderStatus


@pytest.fixture
async def book() -> AsyncIterator[Cut]:
    book = Cut(execution=SLICED)
    await book.begin()
    yield book
    await book.close()


class Doubtful(Cut):
    """Nobody can tell what became of its second slice."""

    async def open(self, of: Any) -> Any:
        account = await self.exchange.open(of)

        class Account:
            def __getattr__(self, name: str) -> Any:
                return getattr(account, name)

            async def place(self, approved: Any) -> Any:
                placed = await account.place(approved)
                if approved.intent.client_order_id.endswith(":s1"):
                    raise OutcomeUnknown("no answer")
                return placed

            async def find(self, intent: OrderIntent, *args: Any) -> Any:
                if intent.client_order_id.endswith(":s1"):
                    raise Ambiguous("two could be it")
                return await account.find(intent, *args)

        return Account()

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), venues=self)


async def test_an_order_whose_slice_waits_for_a_person_has_ended() -> None:
    book = Doubtful(execution=SLICED)
    await book.begin()
    try:
        async with asyncio.timeout(20):
            intent = book.intent()
            sending = book.sending(intent)
            await book.until(lambda: book.all_ended(1))
            book.show(bars=1)
            answer = await sending
            assert isinstance(answer, Order)
            assert answer.status is S.CANCELLED
            assert answer.message == "a slice waits for a person: two could be it"
            # What is found out of the slice later is the order's, too.
            await book.until(lambda: book.second().status is S.FILLED)
            assert (await book.order(intent)).filled_quantity == Decimal(5)
    finally:
        await book.close()
    await book.books_agree()


async def left(book: Cut) -> OrderIntent:
    """An order in slices whose trader has gone."""
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.all_ended(1))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    return intent


async def a_new_bar(book: Cut, _: OrderIntent) -> None:
    book.show(bars=1)
    await book.blotter.remember(book.ours.id, TraderMemory(rebalance=Rebalance(book.now, 0.0, (None,) * 3)))


async def a_bar_without_orders(book: Cut, intent: OrderIntent) -> None:
    await book.blotter.remember(book.ours.id, TraderMemory(done_until=intent.quoted_at))


async def its_owner(book: Cut, _: OrderIntent) -> None:
    await book.deployments.set_status(book.ours.id, DeploymentStatus.STOPPED, "by hand")


async def its_time(book: Cut, _: OrderIntent) -> None:
    book.show(bars=6)


@pytest.mark.parametrize("restarted", [False, True], ids=["same desk", "next desk"])
@pytest.mark.parametrize("over", [a_new_bar, a_bar_without_orders, its_owner, its_time])
async def test_an_order_that_its_trader_has_left_is_ended(book: Cut, over: Any, restarted: bool) -> None:
    intent = await left(book)
    if restarted:
        book.bury()
    assert not book.is_at(intent, S.CANCELLED, S.EXPIRED)
    await over(book, intent)
    book.risk()
    await book.until(lambda: book.is_at(intent, S.CANCELLED, S.EXPIRED))
    assert (await book.order(intent)).filled_quantity == Decimal("2.5")
    assert book.orders_taken() == 1
    await book.books_agree()


async def test_an_order_that_its_trader_will_ask_for_again_waits_for_it(book: Cut) -> None:
    intent = await left(book)
    await book.blotter.remember(book.ours.id, TraderMemory(rebalance=Rebalance(intent.quoted_at, 0.0, (None,) * 3)))
    book.bury()
    sending = book.sending(intent)
    for number in range(2, 5):
        book.show(bars=1)
        await book.until(lambda count=number: book.all_ended(count))  # type: ignore[misc]
    assert ((await sending).status, book.orders_taken()) == (S.FILLED, 4)
    await book.books_agree()
