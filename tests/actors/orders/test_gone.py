"""An order that is seen to be off the book: what it is asked meanwhile is heard."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from actors.orders.looking import LOOKS_FOR_TAKEN
from omc.risk.kill_switch import Halt
from omc.trading.order import OrderStatus
from omc.trading.venue import Placed
from tests.actors.orders.test_working import Flaky, Losing


class Slow(Flaky):
    """Its next look waits until it may go on."""

    def __init__(self, account: Any) -> None:
        super().__init__(account)
        self.looking, self.goes_on = asyncio.Event(), asyncio.Event()

    async def find(self, *args: Any) -> Any:
        self.asked.append("find")
        self.looking.set()
        await self.goes_on.wait()
        return await self._account.find(*args)


@pytest.mark.parametrize("liquidate", [False, True], ids=["stop", "sell out"])
async def test_an_emergency_stop_that_meets_a_look_is_the_end_of_the_order(liquidate: bool) -> None:
    book = Losing()
    await book.begin()
    book.flaky = slow = Slow(await book.exchange.open(book.ours))
    try:
        async with asyncio.timeout(30):
            slow.goes_on.set()
            intent = book.intent()
            sending = book.sending(intent)
            await book.until(lambda: book.caught_up(intent))
            slow.goes_on.clear()
            slow.looking.clear()
            await slow.looking.wait()
            looks = slow.asked.count("find")
            owner = book.ours.user_id
            book.risk().trip(Halt(owner, book.clock.now(), "enough"))
            await book.kill_switch.trip(owner, "enough")
            book.show()
            book.exchange.paper._depth_aud = None
            stopping = asyncio.create_task(book.halt(owner, liquidate))
            await book.until(lambda: not book.wallet.orders)
            slow.goes_on.set()
            report = await stopping
            order = await sending
    finally:
        await book.close()
    assert report.problems == ()
    assert (order.status, order.message) == (OrderStatus.CANCELLED, "emergency stop")
    assert slow.asked.count("find") - looks < LOOKS_FOR_TAKEN
    assert book.wallet.balance("ETH") == (0 if liquidate else order.filled_quantity) or Decimal(0)
    await book.books_agree()


async def test_what_an_order_bought_that_does_not_end_is_sold_all_the_same() -> None:
    class Listing(Flaky):
        """It goes on to list an order as open that it was told to cancel."""

        async def find(self, *args: Any) -> Any:
            found = await self._account.find(*args)
            fills = found.fills if isinstance(found, Placed) else ()
            return Placed(args[3], fills, open=True)

        async def cancel(self, *args: Any) -> None:
            self.asked.append("cancel")
            if self.asked.count("cancel") > 10:
                book.show(ask=Decimal("2.95"))
                await self._account.cancel(*args)

        async def cancel_all(self) -> int:
            return 0

    book = Losing()
    await book.begin()
    book.flaky = Listing(await book.exchange.open(book.ours))
    try:
        async with asyncio.timeout(30):
            intent = book.intent(price=Decimal("2.95"))
            sending = book.sending(intent)
            await book.until(lambda: book.is_at(intent, OrderStatus.ACCEPTED))
            owner = book.ours.user_id
            book.risk().trip(Halt(owner, book.clock.now(), "enough"))
            await book.kill_switch.trip(owner, "enough")
            report = await book.halt(owner, True)
            bought = (await book.order(intent)).filled_quantity
            assert sum(each.filled_quantity for each in report.sold) == bought > 0
            assert report.problems == ("test 1: an order is still under way",)
            assert book.wallet.balance("ETH") == 0
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    finally:
        book.bury()
        await book.close()
