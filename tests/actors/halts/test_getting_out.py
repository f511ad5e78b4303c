"""Selling out at a venue that takes longer to answer than a sale is patient."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from omc.risk.kill_switch import Halt
from omc.trading.order import OrderStatus
from tests.actors.orders.test_silence import Silent

SLOW_S = 0.7
"""Longer than twice the patience of these desks."""


class Slow(Silent):
    answer_s = 60.0

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), sell_out_answer_s=self.answer_s)

    async def stopped(self) -> Any:
        owner = self.ours.user_id
        halt = Halt(owner, self.clock.now(), "enough")
        self.risk().trip(halt)
        await self.kill_switch.trip(owner, "enough")
        return await self.halt(owner, True)

    @property
    def sold_out(self) -> bool:
        return self.wallet.balance("ETH") == 0 and not self.risk()._halting.selling


@pytest.fixture
async def book() -> AsyncIterator[Slow]:
    book = Slow()
    await book.begin()
    yield book
    book.bury()
    await book.close()


async def test_a_sale_that_was_lost_is_made_again_when_its_silence_may_be_believed(book: Slow) -> None:
    assert (await book.sent(book.intent())).status is OrderStatus.FILLED
    book.lost, book.slow = "before", SLOW_S
    looks = book.looks
    stop = asyncio.create_task(book.stopped())
    await book.until(lambda: book.looks > looks)
    # Its quote is too old to be sent again, so it takes another sale.
    book.show(bars=1)
    report = await stop
    assert report.problems == ()
    assert sum(each.filled_quantity for each in report.sold) == Decimal(10)
    assert book.sold_out


async def test_what_a_silent_purchase_has_bought_after_all_is_sold_however_late_it_shows(book: Slow) -> None:
    book.lost, book.hides, book.slow = "after", 100_000, 1_000_000.0
    buying = book.sending(book.intent())
    await book.until(lambda: book.placed == 1 and book.looks > 1)
    report = await book.stopped()
    assert report.problems == ("test 1: an order is still under way",)
    assert book.wallet.balance("ETH") == 10
    book.hides = 0
    await book.until(lambda: book.sold_out)
    assert (await buying).filled_quantity == 10


async def test_what_is_bought_after_a_reset_is_kept_though_a_stop_still_waits_for_an_order(book: Slow) -> None:
    book.lost, book.hides, book.slow = "after", 100_000, 1_000_000.0
    buying = book.sending(book.intent())
    await book.until(lambda: book.placed == 1 and book.looks > 1)
    await book.stopped()
    await book.kill_switch.reset(book.ours.user_id)
    await book.release(book.ours.user_id)
    book.hides = 0
    await buying
    await book.until(lambda: not book.risk()._halting.selling)
    assert book.wallet.balance("ETH") == 10


async def test_an_answer_does_not_wait_for_a_venue_that_says_nothing(book: Slow) -> None:
    assert (await book.sent(book.intent())).status is OrderStatus.FILLED
    book.answer_s = 0.0
    book.bury()
    book.lost, book.hides, book.slow = "after", 100_000, 1_000_000.0
    report = await book.stopped()
    assert report.problems == ("test 1: it is being sold still",)
    book.hides = 0
    await book.until(lambda: book.sold_out)
