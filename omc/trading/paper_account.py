"""One account of a paper venue as a Venue: the in-process twin of every exchange adapter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from omc.errors import VenueRefused
from omc.market.money import ZERO
from omc.market.terms import OrderKind
from omc.risk.verdict import Approved
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.paper_order import Unit
from omc.trading.paper_venue import PaperVenue
from omc.trading.reconciliation import ListedFill, ListedOrder, match
from omc.trading.venue import Absent, Finding, Placed, Placement, Rejected


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """A Venue over `venue`, for the account called `name`."""

    venue: PaperVenue
    name: str

    async def place(self, approved: Approved) -> Placement:
        intent = approved.intent
        try:
            order_id = self._instant(intent) if intent.kind is OrderKind.INSTANT else self._market(intent)
        except VenueRefused as refusal:
            return Rejected(str(refusal))
        fills = (each.fill for each in self.venue.wallet(self.name).executions if each.order_id == order_id)
        return Placed(order_id, tuple(fills), open=False)

    def _instant(self, intent: OrderIntent) -> str:
        return self.venue.trade_now(
            self.name, intent.side, intent.coin, amount=intent.quantity, unit=Unit.COIN
        ).order_id

    def _market(self, intent: OrderIntent) -> str:
        order = self.venue.place(
            self.name, intent.side, intent.coin, quantity=intent.quantity, price_aud=intent.quote_price_aud
        )
        self._cancel_rest(order.order_id, intent.side)
        return order.order_id

    def _cancel_rest(self, order_id: str, side: Side) -> None:
        if order_id in self.venue.wallet(self.name).orders:
            self.venue.cancel(self.name, side, order_id)

    async def find(self, intent: OrderIntent, since: datetime, known: frozenset[str]) -> Finding:
        wallet = self.venue.wallet(self.name)
        found = match(
            intent,
            [ListedFill(each.fill, each.kind, each.order_id) for each in wallet.executions if not each.swapped],
            [
                ListedOrder(each.order_id, each.coin, each.side, each.quantity, each.price_aud)
                for each in wallet.orders.values()
            ],
            since=since,
            known=known,
        )
        if found is None:
            return Absent()
        if found.working:
            self._cancel_rest(found.working.venue_order_id, intent.side)
        return Placed(found.venue_order_id, found.fills, open=False)

    async def cancel_all(self) -> int:
        return sum(self.venue.cancel_all(self.name, side) for side in Side)

    async def balances(self) -> Mapping[str, Decimal]:
        wallet = self.venue.wallet(self.name)
        held = {coin: quantity for coin, quantity in wallet.coins.items() if quantity != ZERO}
        return {"AUD": wallet.cash_aud, **held}


@dataclass(frozen=True, slots=True)
class PaperVenues:
    """A Venues that opens every deployment's account at one paper venue."""

    venue: PaperVenue

    async def open(self, deployment: Deployment) -> PaperAccount:
        name = str(deployment.id)
        self.venue.open_account(name, deployment.cash_aud)
        return PaperAccount(self.venue, name)
