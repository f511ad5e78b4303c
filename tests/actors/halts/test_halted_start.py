"""A desk that begins halted: what an earlier one left on the book is cancelled as soon as anybody can know of it."""

import asyncio
from dataclasses import replace
from typing import Any

from actors.orders.sender import RiskPorts
from omc.errors import Unavailable
from omc.risk.kill_switch import Halt
from omc.trading.execution import Execution
from omc.trading.order import OrderStatus
from tests.actors.book import Book
from tests.actors.mortal import START


class Cut(Book):
    """One whose desk's database may be away."""

    away = False
    asked = 0

    def risk_ports(self) -> RiskPorts:
        ports = super().risk_ports()
        stores = ("blotter", "deployments", "leases", "kill_switch", "risk", "venue_book")
        return replace(ports, **{name: Store(getattr(ports, name), self) for name in stores})


class Store:
    def __init__(self, store: Any, floor: Cut) -> None:
        self._store, self._floor = store, floor

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def called(*args: Any, **kwargs: Any) -> Any:
            if self._floor.away:
                self._floor.asked += 1
                raise Unavailable("the database cannot be reached")
            return await method(*args, **kwargs)

        return called if asyncio.iscoroutinefunction(method) else method


async def test_what_rests_is_cancelled_when_the_database_is_back() -> None:
    book = Cut(depth_aud="6", execution=Execution(good_for_s=900.0))
    await book.begin()
    try:
        async with asyncio.timeout(30):
            intent = book.intent()
            sending = book.sending(intent)
            await book.until(lambda: book.caught_up(intent) and book.is_at(intent, OrderStatus.PARTIAL))
            book.away = True
            sending.cancel()
            book.bury()
            book.halt_files.kept[None, None] = Halt(None, START, "maintenance")
            desk = book.risk()
            before = book.asked
            await book.until(lambda: book.asked > before + 3)
            assert desk._senders.exposures.halts.halted(intent.user_id) is not None
            assert len(book.wallet.orders) == 1
            book.away = False
            await book.until(lambda: book.is_at(intent, OrderStatus.CANCELLED))
        assert book.orders_taken() == 1
        await book.books_agree()
    finally:
        await book.close()
