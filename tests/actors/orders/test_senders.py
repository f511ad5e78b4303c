"""Who sends for an account is there while anything of it is traded, or under way, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from omc.errors import Unavailable
from omc.trading.deployment import DeploymentStatus
from omc.trading.fill import Side
from omc.trading.order import Order, OrderStatus
from tests.actors.orders.test_working import Flaky, Losing


class Often(Losing):
    """Its accounts are compared all the time."""

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), reconcile_every_s=0.002, reconcile_quiet_s=0.002)

    async def open(self, of: Any) -> Any:
        self.opened = getattr(self, "opened", 0) + 1
        self.flaky = Flaky(await self.exchange.open(of))
        return self.flaky

    def is_sent_for(self) -> bool:
        return self.risk()._senders.knows(self.ours)

    async def status(self, status: DeploymentStatus) -> None:
        await self.deployments.set_status(self.ours.id, status, "by hand")


@pytest.fixture
async def book() -> AsyncIterator[Often]:
    book = Often()
    await book.begin()
    async with asyncio.timeout(30):
        yield book
    await book.close()


async def test_an_account_that_nobody_trades_any_more_is_let_go_of(book: Often) -> None:
    first = await book.submit(book.intent("1"), book.lease)
    assert isinstance(first, Order)
    assert book.is_sent_for()
    await book.status(DeploymentStatus.STOPPED)
    await book.until(lambda: not book.is_sent_for())
    assert book.flaky is not None
    assert book.flaky.asked[-1] == "close"
    senders = book.risk()._senders
    assert (senders.seen(), senders.under_way(), senders.exposures._modes) == ([], [], {})


async def test_who_trades_it_again_has_it_opened_anew(book: Often) -> None:
    await book.submit(book.intent("1"), book.lease)
    former = book.risk()._senders.of(book.ours)
    await book.status(DeploymentStatus.PAUSED)
    await book.until(lambda: not book.is_sent_for())
    await book.status(DeploymentStatus.ACTIVE)
    book.show(bars=1)
    again = await book.submit(book.intent("1"), book.lease)
    assert isinstance(again, Order)
    assert (again.status, book.opened) == (OrderStatus.FILLED, 2)
    # Two would send for one account.
    with pytest.raises(Unavailable, match="ask again"):
        await former.carry(replace(book.intent("1", Side.SELL), client_order_id="late"), book.lease)
    await book.books_agree()


async def test_it_is_kept_while_an_order_works(book: Often) -> None:
    intent = book.intent(price=Decimal("2.95"))
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    assert book.flaky is not None
    book.flaky.lost["cancel"] = [("before", Unavailable("busy"))] * 1_000_000
    await book.status(DeploymentStatus.STOPPED)
    await book.until(lambda: book.is_at(intent, OrderStatus.CANCELLING))
    await book.until(lambda: book.flaky is not None and book.flaky.asked.count("cancel") > 20)
    assert book.is_sent_for()
    book.flaky.lost.clear()
    assert (await sending).status is OrderStatus.CANCELLED
    await book.until(lambda: not book.is_sent_for())
