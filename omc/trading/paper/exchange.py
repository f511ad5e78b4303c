"""An exchange in one process: a tape in lock-step, its quotes, and accounts on the paper venue.

It is the twin of all that a sandbox exchange offers over the wire, so that the whole floor runs in a test or a replay
without one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Self

from omc.errors import VenueRefused
from omc.ledger.collector import board_of
from omc.market.money import ZERO
from omc.market.quote import QuoteBoard
from omc.market.tape import Tape, TapeClock
from omc.market.terms import OrderKind, Terms
from omc.risk.verdict import Approved
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.listed import ListedFill, ListedOrder, VenueReport
from omc.trading.order import OrderIntent
from omc.trading.paper.order import Unit
from omc.trading.paper.venue import PaperVenue
from omc.trading.reconciliation.matching import Match, match
from omc.trading.routing import Level
from omc.trading.venue import Absent, Capabilities, Finding, Placed, Placement, Rejected

CAPABILITIES = Capabilities(
    client_order_ids=False,
    order_lookup=False,
    instant_order_ids=False,
    resting_orders=True,
    replace=True,
    streams=False,
    read_only_keys=False,
    shows_withdrawal_right=False,
)
"""Those of CoinSpot, whose twin it is."""


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
        self.paper.open_account(deployment.account, deployment.cash_aud)
        return MemoryAccount(self.paper, deployment.account)


@dataclass(slots=True)
class MemoryAccount:
    """A Venue: one account at the exchange."""

    paper: PaperVenue
    name: str
    placed: list[OrderIntent] = field(default_factory=list)
    """Every order that was sent here, refused ones included."""

    async def place(self, approved: Approved) -> Placement:
        if approved.gate is not None:
            approved.gate()
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
        wallet = self.paper.wallet(self.name)
        fills = tuple(each.fill for each in wallet.executions[before:] if each.order_id == order_id)
        known_as = order_id if intent.kind is OrderKind.MARKET else None
        resting = wallet.orders.get(order_id)
        return Placed(known_as, fills, open=resting is not None, price_aud=resting.price_aud if resting else None)

    async def find(
        self, intent: OrderIntent, since: datetime, known: frozenset[str], venue_order_id: str | None = None
    ) -> Finding:
        found = self._match(intent, since, known, venue_order_id)
        if found and found.working and not intent.good_for_s:
            self.paper.cancel(self.name, intent.side, found.working.venue_order_id)
            found = replace(found, working=None)
        if found is None:
            return Absent()
        working = found.working
        return Placed(
            found.venue_order_id,
            found.fills,
            open=working is not None,
            price_aud=working.price_aud if working else None,
        )

    async def cancel(self, intent: OrderIntent, venue_order_id: str) -> None:
        self.paper.cancel(self.name, intent.side, venue_order_id)

    async def replace(self, approved: Approved, venue_order_id: str, price_aud: Decimal, new_price_aud: Decimal) -> str:
        if approved.gate is not None:
            approved.gate()
        moved = self.paper.edit(
            self.name, approved.intent.side, venue_order_id, price_aud=price_aud, new_price_aud=new_price_aud
        )
        return moved.order_id

    async def cancel_all(self) -> int:
        return sum(self.paper.cancel_all(self.name, side) for side in Side)

    async def balances(self) -> Mapping[str, Decimal]:
        wallet = self.paper.wallet(self.name)
        return {"AUD": wallet.cash_aud, **{coin: held for coin, held in wallet.coins.items() if held}}

    async def unlisted(self, coin: str) -> Decimal | None:
        return ZERO

    async def book(self, coin: str, side: Side) -> Sequence[Level]:
        if coin not in self.paper.terms.market_coins or coin not in self.paper.board.quotes:
            return ()
        price, quantity = self.paper.deep(coin, side)
        return (Level(price, quantity),) if quantity else ()

    async def instant_price(self, coin: str, side: Side, quantity: Decimal) -> Decimal | None:
        try:
            return self.paper.quote_now(side, coin, quantity, Unit.COIN).rate
        except VenueRefused:
            return None

    async def report(self, since: datetime) -> VenueReport:
        fills = tuple(each for each in self._fills() if each.fill.executed_at >= since)
        return VenueReport(since, await self.balances(), tuple(self._working()), fills)

    @property
    def slow_s(self) -> float:
        """It carries out what it is asked before it answers."""
        return 0.0

    async def close(self) -> None:
        """Nothing connects it."""

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def _match(
        self, intent: OrderIntent, since: datetime, known: frozenset[str], venue_order_id: str | None
    ) -> Match | None:
        fills, working = self._fills(), self._working()
        return match(intent, fills, working, since=since, known=known, venue_order_id=venue_order_id)

    def _fills(self) -> list[ListedFill]:
        executions = self.paper.wallet(self.name).executions
        return [ListedFill(each.fill, each.kind, each.order_id) for each in executions]

    def _working(self) -> list[ListedOrder]:
        orders = self.paper.wallet(self.name).orders.values()
        return [ListedOrder(each.order_id, each.coin, each.side, each.quantity, each.price_aud) for each in orders]

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
        if not intent.good_for_s and order.order_id in self.paper.wallet(self.name).orders:
            self.paper.cancel(self.name, intent.side, order.order_id)
        return order.order_id
