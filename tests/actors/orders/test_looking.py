"""Looking for what the venue does not show as it should: nothing is guessed, and nothing is sent twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from omc.errors import Ambiguous
from omc.market.terms import OrderKind
from omc.trading.execution import Execution
from omc.trading.order import Order, OrderStatus
from omc.trading.venue import Absent, Placed
from tests.actors.book import Book


class Blind(Book):
    """Its venue answers to whoever looks what a test says, and takes orders as ever."""

    finds: Any = None
    takes: Any = None

    async def open(self, of: Any) -> Any:
        account, book = await self.exchange.open(of), self

        class Eyes:
            def __getattr__(self, name: str) -> Any:
                return getattr(account, name)

            async def place(self, approved: Any) -> Any:
                answer = await account.place(approved)
                return answer if book.takes is None else book.takes

            async def find(self, *args: Any) -> Any:
                if isinstance(book.finds, Exception):
                    raise book.finds
                return await account.find(*args) if book.finds is None else book.finds

        return Eyes()

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), venues=self)

    async def is_held(self, intent: Any) -> Order:
        async with asyncio.timeout(30):
            await self.until(lambda: self.is_at(intent, OrderStatus.UNRESOLVED))
        return await self.order(intent)


@pytest.fixture
async def book() -> AsyncIterator[Blind]:
    book = Blind(execution=Execution(good_for_s=900.0))
    await book.begin()
    yield book
    await book.close()


async def test_an_instant_order_that_was_taken_and_is_listed_nowhere_waits_for_a_person(book: Blind) -> None:
    book.takes, book.finds = Placed(None, (), open=True), Absent()
    intent = replace(book.intent(), coin="XYZ", kind=OrderKind.INSTANT)
    answer = await book.submit(intent, book.lease)
    assert isinstance(answer, Order)
    assert (answer.status, answer.message) == (
        OrderStatus.UNRESOLVED,
        "the venue said that it took it, and lists it nowhere",
    )
    assert book.orders_taken() == 1
    # Nothing more is sent for that coin, and others go on.
    second = await book.submit(replace(intent, client_order_id="second"), book.lease)
    assert getattr(second, "reason", None) == "unresolved"
    book.takes = book.finds = None
    other = await book.submit(replace(book.intent("1"), client_order_id="other"), book.lease)
    assert isinstance(other, Order)
    assert other.status is OrderStatus.FILLED


async def test_that_the_venue_took_it_is_not_forgotten_when_two_things_look_like_it(book: Blind) -> None:
    """What is merely unknown may be sent again once no trace of it is left."""
    book.takes, book.finds = Placed(None, (), open=True), Ambiguous("two could be it")
    intent = replace(book.intent(), coin="XYZ", kind=OrderKind.INSTANT)
    answer = await book.submit(intent, book.lease)
    assert isinstance(answer, Order)
    assert answer.status is OrderStatus.UNRESOLVED
    entries, _ = await book.blotter.journal(intent.user_id, intent.deployment_id, ("unknown", "submitted"), 0, 10)
    assert [entry.kind for entry in entries] == ["submitted"]


async def test_a_move_that_leaves_two_candidates_on_the_book_waits_for_a_person(book: Blind) -> None:
    intent = book.intent(price=Decimal("2.95"))
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    book.finds = Ambiguous("two could be it")
    moving = asyncio.create_task(book.move(intent.client_order_id, "2.96"))
    held = await book.is_held(intent)
    assert held.message == "two could be it"
    assert (await sending).status is OrderStatus.UNRESOLVED
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
