"""When a venue's silence about an order may be believed: whether one that it shows no trace of was never carried out,
and never will be.

Its lists alone do not say. What they lack may be listed late, and a request that was taken in may be carried out after
later ones were answered. So the order must have been quiet for longer than that may take, and the account must hold
what our books say, to the last decimal, with no room in what is held back for an order that is on no list. On an
account that its owner trades, too, what is held may have changed for other reasons: then nobody knows, until
reconciliation has found out whose it is.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING

from actors.sharing import books_of
from omc.errors import OutcomeUnknown, Unavailable
from omc.market.money import ZERO
from omc.market.terms import OrderKind
from omc.trading.deployment import Deployment, Mode
from omc.trading.fill import Side
from omc.trading.order import Order
from omc.trading.reconciliation.books import CASH, differences, summed
from omc.trading.reconciliation.shared_account import claims, own
from omc.trading.reconciliation.table import Search, doubts
from omc.trading.reconciliation.venue_book import Known
from omc.trading.venue import Venue

if TYPE_CHECKING:
    from actors.orders.sender import RiskPorts, Sender


class Silence:
    """For one sender, whose lock is held."""

    def __init__(self, ports: "RiskPorts", sender: "Sender") -> None:
        self._ports = ports
        self._sender = sender
        self._since: dict[str, float] = {}
        """Since when the venue has answered, and shown no trace of an order; by the running loop."""
        self._unsent: set[str] = set()
        self._in_vain: Counter[str] = Counter()

    def begin(self, name: str, *, sent: bool) -> None:
        """An order's sending ended without an answer; whether anything may have left at all."""
        self.end(name)
        if not sent:
            self._unsent.add(name)

    def end(self, name: str) -> None:
        """It is known what became of it."""
        self._since.pop(name, None)
        self._unsent.discard(name)
        self._in_vain.pop(name, None)

    def in_vain(self, name: str) -> int:
        """How often nothing but what the account holds spoke against believing it."""
        return self._in_vain[name]

    async def doubt(self, order: Order, sharing: Sequence[Deployment]) -> str:
        """Why an order that the venue was just asked about, twice and in vain, may have been carried out, or may be
        yet; empty when it surely was not, and never will be."""
        name, now = order.intent.client_order_id, asyncio.get_running_loop().time()
        deployment = next(each for each in sharing if each.id == order.intent.deployment_id)
        since = self._since.setdefault(name, now)
        async with self._sender.door.sending(deployment) as venue:
            slow_s = venue.slow_s
            quiet_s = inf if name in self._unsent else now - since
            why = doubts(Search(closed_too=True, quiet_s=quiet_s, asked_alone=True), threshold_s=slow_s)
            if why is not None:
                return why
            try:
                async with asyncio.timeout(self._ports.call_s):
                    unexplained = await self._unexplained(order, venue, sharing)
                    read = True
            except (Unavailable, OutcomeUnknown, TimeoutError):
                unexplained, read = "", False
        found = Search(closed_too=True, quiet_s=quiet_s, asked_alone=True, balances_read=read, unexplained=unexplained)
        self._in_vain[name] += bool(unexplained)
        return doubts(found, threshold_s=slow_s) or ""

    async def _unexplained(self, order: Order, venue: Venue, sharing: Sequence[Deployment]) -> str:
        """What the account holds that leaves room for the order; empty when nothing does."""
        intent = order.intent
        accounts = await books_of(self._ports.blotter, sharing)
        deployment = sharing[0]
        known = await self._ports.venue_book.known(deployment.account)
        if known is None:
            if deployment.mode is Mode.LIVE:
                return "the account was not looked at before"
            known = Known(deployment.account, deployment.user_id, {}, {})
        should = summed(own(known, sharing, accounts), claims(sharing, accounts))
        held = await venue.balances()
        concerned = (CASH, intent.coin)
        told = differences(
            {coin: should.get(coin, ZERO) for coin in concerned}, {coin: held.get(coin, ZERO) for coin in concerned}
        )
        if told:
            return told[0]
        return "" if intent.kind is OrderKind.INSTANT else await self._held_back(order, venue)

    async def _held_back(self, order: Order, venue: Venue) -> str:
        """An order that rests, and is on no list, moves nothing yet; but what it may cost is held back."""
        intent = order.intent
        coin, stake = (intent.coin, intent.quantity)
        if intent.side is Side.BUY:
            coin, stake = CASH, intent.quantity * intent.quote_price_aud
        unlisted: Decimal | None = await venue.unlisted(coin)
        if unlisted is None:
            return f"the venue does not say how much {coin} its open orders hold back"
        return f"{unlisted:f} {coin} are held back by no order that is listed" if unlisted >= stake else ""
