"""A desk that works orders on a venue's book, whose quotes and depth a test sets, and whose actors die on cue."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from actors.orders.sender import RiskPorts
from omc.ledger.cadence import Cadence
from omc.market.quote import Quote, QuoteBoard
from omc.market.terms import OrderKind
from omc.trading.deployment import trader_name
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.paper.venue import PaperVenue
from tests.actors.mortal import COINS, START, TERMS, Fuse, House, deployment, market

AT_A_RUN = Cadence(every_s=0.002, longest_s=0.002, first_s=0.001)
ASK, BID = Decimal("3.00"), Decimal("2.90")


class Alarm(Fuse):
    """Wherever it burns, the whole desk is gone: also when nobody waits for what died."""

    ring: Callable[[], None] | None = None

    def burns(self, before: bool) -> bool:
        burned = super().burns(before)
        if burned and self.ring is not None:
            asyncio.get_running_loop().call_soon(self.ring)
        return burned


class Book(House):
    """One account with 10,000 AUD; every coin costs 3.00 AUD and fetches 2.90. Time stands until a test moves it."""

    def __init__(self, depth_aud: str | None = None, fuse: Fuse | None = None, **changes: Any) -> None:
        tape, _ = market(2, gaps=0.0)
        alarm = Alarm(fuse.at if fuse else ())
        super().__init__(tape, lambda *_: None, risk_fuse=alarm)
        alarm.ring = self.bury
        depth = None if depth_aud is None else Decimal(depth_aud)
        self.exchange.paper = PaperVenue(TERMS, COINS, depth)
        self.ours = deployment(**changes)
        self.lease = Lease(trader_name(self.ours), 1)
        self.bar = 0
        self.show()

    async def begin(self) -> None:
        await self.deployments.create(self.ours)
        self.lease = await self.leases.take(trader_name(self.ours), "test")

    def show(self, bars: int = 0, ask: Decimal = ASK, bid: Decimal = BID) -> None:
        """The quotes of as many bars later."""
        self.bar += bars
        quotes = {coin: Quote(coin, bid, ask, bid) for coin in COINS}
        self.exchange.paper.show(QuoteBoard(self.now, quotes))

    @property
    def now(self) -> datetime:
        return START + self.bar * timedelta(minutes=5)

    async def newest(self) -> QuoteBoard:
        return self.exchange.paper.board

    def risk_ports(self) -> RiskPorts:
        return replace(super().risk_ports(), call_s=5.0, cadence=AT_A_RUN)

    def bury(self) -> None:
        if self._risk is not None:
            self._bury_risk(self._risk)

    async def cancel(self, name: str, why: str = "its owner asked") -> Order:
        order: Order = await self._desk("cancel", name, why)
        return order

    async def move(self, name: str, price_aud: str) -> Order:
        order: Order = await self._desk("replace", name, Decimal(price_aud))
        return order

    def intent(
        self, quantity: str = "10", side: Side = Side.BUY, price: Decimal | None = None, **changes: Any
    ) -> OrderIntent:
        turn = Turn.SALE if side is Side.SELL else Turn.PURCHASE
        made = OrderIntent(
            client_order_id=client_order_id(self.ours.id, self.now, "ETH", turn),
            deployment_id=self.ours.id,
            user_id=self.ours.user_id,
            coin="ETH",
            side=side,
            quantity=Decimal(quantity),
            kind=OrderKind.MARKET,
            quote_price_aud=price or (ASK if side is Side.BUY else BID),
            quoted_at=self.now,
            decided_at=self.now,
            reason="a test's",
        )
        return replace(made, **changes)

    def sending(self, intent: OrderIntent) -> "asyncio.Task[Any]":
        return asyncio.create_task(self.submit(intent, self.lease))

    async def order(self, intent: OrderIntent) -> Order:
        order = await self.blotter.order(intent.client_order_id)
        assert order is not None
        return order

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what is to become true, whoever dies meanwhile."""
        async with asyncio.timeout(120):
            while not holds():  # noqa: ASYNC110 - a blotter tells nobody
                await asyncio.sleep(0.001)

    def stored(self, intent: OrderIntent) -> Order | None:
        row = self.blotter._rows.get(intent.client_order_id)
        return row.order if row else None

    def is_at(self, intent: OrderIntent, *statuses: OrderStatus) -> bool:
        order = self.stored(intent)
        return order is not None and order.status in statuses

    def caught_up(self, intent: OrderIntent) -> bool:
        """Whether the order works, and all that the venue filled of it is counted."""
        order = self.stored(intent)
        works = order is not None and order.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIAL)
        return works and order is not None and order.filled_quantity == self.bought()

    @property
    def wallet(self) -> Any:
        return self.exchange.paper.wallet(self.ours.account)

    def bought(self) -> Decimal:
        return sum((each.quantity for each in self.executions()), Decimal(0))

    def executions(self) -> list[Any]:
        return self.exchange.paper.executions

    def orders_taken(self) -> int:
        """How many orders the venue was ever given."""
        return self.exchange.paper._orders_taken

    async def books_agree(self) -> None:
        account = await self.blotter.account(self.ours.id)
        assert account.position("ETH").quantity == self.wallet.balance("ETH")
        assert account.cash_aud == self.wallet.cash_aud
        assert not self.wallet.orders
