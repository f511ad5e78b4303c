"""Orders on the book whose limit is moved: whoever asks hears what is known of it, and no more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from omc.errors import Conflict, OutcomeUnknown, Unavailable
from omc.risk.verdict import DenialReason, Denied
from omc.trading.order import Order, OrderIntent, OrderStatus
from tests.actors.orders.test_working import RESTING, Flaky, Losing

S = OrderStatus
LOST = OutcomeUnknown("no answer")
BUSY = Unavailable("busy")


class Renaming(Flaky):
    """A venue that gives a moved order another id."""

    async def replace(self, approved: Any, venue_order_id: str, price_aud: Decimal, new_price_aud: Decimal) -> str:
        intent = approved.intent
        await self._account.cancel(intent, venue_order_id)
        anew = replace(intent, quote_price_aud=new_price_aud, good_for_s=RESTING.good_for_s)
        await self._account.place(replace(approved, intent=anew))
        raise LOST


@pytest.fixture
async def book() -> AsyncIterator[Losing]:
    book = Losing()
    await book.begin()
    await book.open(book.ours)
    async with asyncio.timeout(30):
        yield book
    await book.close()


async def resting(book: Losing, quantity: str = "10") -> "tuple[OrderIntent, asyncio.Task[Any]]":
    intent = book.intent(quantity, price=Decimal("2.95"))
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    return intent, sending


@pytest.mark.parametrize("when", ["before", "after"])
async def test_who_asked_is_not_told_that_it_was_moved_while_nobody_knows(book: Losing, when: str) -> None:
    intent, sending = await resting(book)
    assert book.flaky is not None
    book.flaky.lost["replace"] = [(when, LOST)]
    book.flaky.lost["find"] = [("before", BUSY)] * 1_000_000
    with pytest.raises(Unavailable, match="nobody knows yet"):
        await book.risk().replace(intent.client_order_id, Decimal("2.96"))
    assert book.is_at(intent, S.REPLACING)
    book.flaky.lost.clear()
    await book.until(lambda: book.is_at(intent, S.ACCEPTED))
    # Asked again, it is where it was to be.
    assert (await book.move(intent.client_order_id, "2.96")).price_aud == Decimal("2.96")
    assert book.flaky.asked.count("replace") == (1 if when == "after" else 2)
    await book.cancel(intent.client_order_id)
    await sending


async def test_an_order_that_is_looked_for_is_not_moved_yet(book: Losing) -> None:
    assert book.flaky is not None
    book.flaky.lost["place"] = [("after", LOST)]
    book.flaky.lost["find"] = [("before", BUSY)] * 1_000_000
    intent = book.intent(price=Decimal("2.95"))
    sending = book.sending(intent)
    await book.until(lambda: book.is_at(intent, S.UNKNOWN))
    with pytest.raises(Unavailable, match="looked for"):
        await book.risk().replace(intent.client_order_id, Decimal("2.96"))
    book.flaky.lost.clear()
    await book.until(lambda: book.caught_up(intent))
    await book.cancel(intent.client_order_id)
    await sending


async def test_an_order_that_is_being_cancelled_is_not_moved(book: Losing) -> None:
    intent, sending = await resting(book)
    assert book.flaky is not None
    book.flaky.lost["cancel"] = [("before", BUSY)] * 1_000_000
    ending = asyncio.create_task(book.risk().cancel(intent.client_order_id, "its owner asked"))
    await book.until(lambda: book.is_at(intent, S.CANCELLING))
    with pytest.raises(Conflict, match="being cancelled: its owner asked"):
        await book.risk().replace(intent.client_order_id, Decimal("2.96"))
    book.flaky.lost.clear()
    await asyncio.gather(ending, sending)


async def test_whoever_waits_to_move_an_order_hears_how_that_ended(book: Losing) -> None:
    intent, sending = await resting(book)
    desk, name = book.risk(), intent.client_order_id
    moving = [asyncio.create_task(desk.replace(name, Decimal(price))) for price in ("2.96", "2.97", "2.98")]
    await asyncio.sleep(0)
    ending = asyncio.create_task(desk.cancel(name, "its owner asked"))
    answers = await asyncio.gather(*moving, return_exceptions=True)
    assert all(isinstance(each, Order | Conflict) for each in answers)
    assert (await ending).status is S.CANCELLED
    await sending


async def test_an_order_that_is_filled_where_it_is_moved_to_has_ended(book: Losing) -> None:
    intent, sending = await resting(book, "2")
    moved = await book.move(intent.client_order_id, "3.00")
    assert moved == await sending
    assert (moved.status, moved.filled_quantity) == (S.FILLED, Decimal(2))
    await book.books_agree()


@pytest.mark.parametrize("quantity", ["2", "10"], ids=["filled at once", "filled in part"])
async def test_a_lost_move_that_gave_an_order_another_id_is_found(quantity: str) -> None:
    book = Losing()
    await book.begin()
    book.flaky = Renaming(await book.exchange.open(book.ours))
    try:
        async with asyncio.timeout(30):
            intent, sending = await resting(book, quantity)
            await book.move(intent.client_order_id, "3.00")
            await book.until(lambda: book.bought() == 2)
            if quantity != "2":
                await book.cancel(intent.client_order_id)
            assert (await sending).filled_quantity == Decimal(2)
    finally:
        await book.close()
    assert (await book.order(intent)).status is (S.FILLED if quantity == "2" else S.CANCELLED)
    await book.books_agree()


async def test_an_order_that_vanishes_while_it_is_moved_waits_for_a_person() -> None:
    """The half of it that traded elsewhere, before it was taken off the book there, is nobody's guess."""

    class Vanishing(Renaming):
        async def replace(self, approved: Any, *args: Any) -> str:
            try:
                return await super().replace(approved, *args)
            finally:
                for each in list(book.wallet.orders):
                    await self._account.cancel(approved.intent, each)

    book = Losing()
    await book.begin()
    book.flaky = Vanishing(await book.exchange.open(book.ours))
    try:
        async with asyncio.timeout(30):
            intent, sending = await resting(book)
            moving = asyncio.create_task(book.risk().replace(intent.client_order_id, Decimal("3.00")))
            told = await asyncio.gather(moving, return_exceptions=True)
            assert isinstance(told[0], Unavailable)
            await sending
            entries, _ = await book.blotter.journal(intent.user_id, None, ("unresolved",), 0, 1)
            assert [each.kind for each in entries] == ["unresolved"]
    finally:
        await book.close()


async def test_an_order_holds_back_what_it_costs_where_it_was_moved_to(book: Losing) -> None:
    intent = book.intent("2000", price=Decimal("2.00"))
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    await book.move(intent.client_order_id, "2.99")
    other = book.intent("1500", coin="BTC", client_order_id="other")
    denied = await book.submit(other, book.lease)
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.NOT_ENOUGH_CASH
    await book.move(intent.client_order_id, "1.00")
    book.exchange.paper._depth_aud = None
    answer = await book.submit(replace(other, client_order_id="another"), book.lease)
    assert isinstance(answer, Order)
    await book.cancel(intent.client_order_id)
    await sending
