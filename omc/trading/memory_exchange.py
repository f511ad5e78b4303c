"""An exchange in one process: a tape in lock-step, its quotes, and accounts on the paper venue.

It is the twin of all that a sandbox exchange offers over the wire, so that the whole floor runs in a test or a replay
without one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Self

from omc.errors import VenueRefused
from omc.ledger.collector import board_of
from omc.market.quote import QuoteBoard
from omc.market.tape import Tape, TapeClock
from omc.market.terms import OrderKind, Terms
from omc.risk.verdict import Approved
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.paper_order import Execution, Unit
from omc.trading.paper_venue import PaperVenue
from omc.trading.reconciliation import ListedFill, ListedOrder, match
from omc.trading.venue import Absent, Finding, Placed, Placement, Rejected


@dataclass(slots=True)
class MemoryExchange:
    """A PriceSource, a TapeControl and Venues."""

    tape: Tape
    paper: PaperVenue
    position: int = 0

    @classmethod
    def playing(cls, tape: Tape, terms: Terms, position: int = 0) -> Self:
        exchange = cls(tape, PaperVenue(terms, tape.frame.coins), position)
        exchange.paper.show(board_of(tape.frame, position))
        return exchange

    async def latest(self) -> QuoteBoard:
        return self.paper.board

    async def clock(self) -> TapeClock:
        return TapeClock(self.tape.frame.time(self.position), self.position, len(self.tape.frame), lockstep=True)

    async def step(self, position: int) -> TapeClock:
        if position == self.position and position < len(self.tape.frame) - 1:
            self.position += 1
            self.paper.show(board_of(self.tape.frame, self.position))
        return await self.clock()

    async def open(self, deployment: Deployment) -> "MemoryAccount":
        self.paper.open_account(str(deployment.id), deployment.cash_aud)
        return MemoryAccount(self.paper, str(deployment.id))


@dataclass(slots=True)
class MemoryAccount:
    """A Venue: one account at the exchange."""

    paper: PaperVenue
    name: str
    placed: list[OrderIntent] = field(default_factory=list)
    """Every order that was sent here, refused ones included."""

    async def place(self, approved: Approved) -> Placement:
        return self.take(approved)

    def take(self, approved: Approved) -> Placement:
        """`place`, for whoever does not wait."""
        intent = approved.intent
        self.placed.append(intent)
        before = len(self.paper.wallet(self.name).executions)
        try:
            order_id = self._send(intent)
        except VenueRefused as no:
            return Rejected(str(no))
        made = self.paper.wallet(self.name).executions[before:]
        fills = tuple(each.fill for each in made if each.order_id == order_id)
        return Placed(order_id if intent.kind is OrderKind.MARKET else None, fills, open=False)

    async def find(self, intent: OrderIntent, since: datetime, known: frozenset[str]) -> Finding:
        wallet = self.paper.wallet(self.name)
        fills = [ListedFill(each.fill, each.kind, each.order_id) for each in self._executions()]
        working = [
            ListedOrder(each.order_id, each.coin, each.side, each.quantity, each.price_aud)
            for each in wallet.orders.values()
        ]
        found = match(intent, fills, working, since=since, known=known)
        if found is None:
            return Absent()
        return Placed(found.venue_order_id, found.fills, open=found.working is not None)

    async def cancel_all(self) -> int:
        return sum(self.paper.cancel_all(self.name, side) for side in Side)

    async def balances(self) -> Mapping[str, Decimal]:
        wallet = self.paper.wallet(self.name)
        return {"AUD": wallet.cash_aud, **{coin: held for coin, held in wallet.coins.items() if held}}

    def _executions(self) -> Iterable[Execution]:
        return self.paper.wallet(self.name).executions

    def _send(self, intent: OrderIntent) -> str:
        if self.paper.is_inside(intent.side, intent.coin, intent.quote_price_aud):
            made = self.paper.trade_inside(
                self.name, intent.side, intent.coin, quantity=intent.quantity, price_aud=intent.quote_price_aud
            )
            return made.order_id
        if intent.kind is OrderKind.INSTANT:
            now = self.paper.trade_now(self.name, intent.side, intent.coin, amount=intent.quantity, unit=Unit.COIN)
            return now.order_id
        order = self.paper.place(
            self.name, intent.side, intent.coin, quantity=intent.quantity, price_aud=intent.quote_price_aud
        )
        # What the book cannot fill at once must not wait there for prices that nobody decided on.
        if order.order_id in self.paper.wallet(self.name).orders:
            self.paper.cancel(self.name, intent.side, order.order_id)
        return order.order_id
