"""An owner's account that two deployments share, and a paper account beside it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from actors.risk import RiskActor
from omc.errors import OutcomeUnknown
from omc.market.terms import OrderKind
from omc.risk.verdict import Denied
from omc.trading.deployment import Deployment, Mode, trader_name
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.paper.exchange import MemoryAccount
from omc.trading.paper.order import Unit
from omc.trading.reconciliation.venue_book import HeldOrder
from tests.actors.mortal import START, TERMS, USER, House, deployment, market
from tests.actors.test_risk import Unreliable, submitted

TIMEOUT = OutcomeUnknown("no answer")
OWNER_CASH = Decimal("50000.00")
ONE, TWO = deployment(1, mode=Mode.LIVE), deployment(2, mode=Mode.LIVE)
PAPER = deployment(3)


class Floor(House):
    """A house with an owner's account that two deployments share, and a paper account beside it."""

    def __init__(self) -> None:
        tape, _ = market(10, gaps=0.0)
        super().__init__(tape, lambda *_: None)
        names = (ONE.account, PAPER.account)
        self.accounts = {name: Unreliable(MemoryAccount(self.exchange.paper, name)) for name in names}
        self.leases_of: dict[UUID, Lease] = {}
        self.desks: list[RiskActor] = []

    async def begin(self) -> None:
        self.exchange.paper.open_account(ONE.account, OWNER_CASH)
        self.exchange.paper.open_account(PAPER.account, PAPER.cash_aud)
        for each in (ONE, TWO, PAPER):
            await self.deployments.create(each)
            self.leases_of[each.id] = await self.leases.take(trader_name(each), "test")
        while await self.newest() is None:  # noqa: ASYNC110 - a hot cache tells only who waits
            await asyncio.sleep(0.001)

    async def open(self, of: Deployment) -> Any:
        return self.accounts[of.account]

    def desk(self, **changes: Any) -> RiskActor:
        """A new risk desk, as after a death."""
        ports = replace(self.risk_ports(), **{"venues": self} | changes)
        self.desks.append(RiskActor(ports, retire=lambda: None))
        return self.desks[-1]

    async def up(self, **changes: Any) -> RiskActor:
        desk = self.desk(**changes)
        await desk._task
        return desk

    def intent(self, of: Deployment, quantity: str = "100", coin: str = "ETH", row: int = 0) -> OrderIntent:
        """A purchase, the `row`th of them."""
        name = f"{client_order_id(of.id, START, coin, Turn.PURCHASE)}:{row}"
        price = self.exchange.paper.quote(coin).ask_aud
        kind, amount = TERMS.kind(coin), Decimal(quantity)
        return OrderIntent(name, of.id, USER, coin, Side.BUY, amount, kind, price, START, START, "a test's")

    async def sends(self, desk: RiskActor, intent: OrderIntent) -> Order | Denied:
        return await submitted(desk, intent, self.leases_of[intent.deployment_id])

    def by_hand(self, account: str, side: Side, coin: str, quantity: str) -> None:
        """What the owner does at the venue, without us."""
        self.exchange.paper.trade_now(account, side, coin, amount=Decimal(quantity), unit=Unit.COIN)

    async def kinds(self, *wanted: str) -> list[str]:
        return [entry.kind for entry in (await self.blotter.journal(USER, None, wanted, 0, 100))[0]][::-1]


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - stores tell nobody
            await asyncio.sleep(0.002)


async def in_doubt(floor: Floor, desk: RiskActor) -> tuple[Order, HeldOrder]:
    """An instant order of ours whose answer was lost, and the like of it that the owner made by hand."""
    venue = floor.accounts[ONE.account]
    intent = floor.intent(ONE, coin="XYZ", quantity="1000")
    assert intent.kind is OrderKind.INSTANT
    floor.by_hand(ONE.account, Side.BUY, "XYZ", "1000")
    venue.after["place"] = [TIMEOUT]
    order = await floor.sends(desk, intent)
    assert isinstance(order, Order)
    assert order.status is OrderStatus.UNRESOLVED

    async def held() -> list[HeldOrder]:
        return await floor.venue_book.held(user_id=USER)

    await until(held)
    (waiting,) = await held()
    return order, waiting
