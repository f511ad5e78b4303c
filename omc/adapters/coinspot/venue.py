"""One CoinSpot account as a Venue.

Market orders are limits at the price they were sized on; what the book leaves of them is cancelled at once. Instant
orders carry that price with a threshold, because what a venue calls its rate may or may not have the fee inside: the
threshold lets the fee pass, and one percent of slippage. CoinSpot acknowledges an order without its fills, and an
instant order without even an id, so what happened is read from the account's own lists and recognized there.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.nonce import NonceStore
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.coinspot.wire import balances_of, fills_of, open_orders_of, rows_shown
from omc.errors import OutcomeUnknown, Unavailable, VenueRefused
from omc.market.money import ZERO, eight_places
from omc.market.terms import OrderKind, Terms
from omc.risk.verdict import Approved
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.reconciliation import ListedFill, ListedOrder, Match, match
from omc.trading.venue import Absent, Finding, Placed, Placement, Rejected

CLOCK_SKEW = timedelta(minutes=2)
"""How far the venue's clock may be behind the one that stamped the quote."""
SLIPPAGE_PERCENT = 1
LISTED_AT_MOST = 500
LAG_S = 2.0
"""How long a real venue may take to list what it did: an assumption, for nobody has measured it."""
_PAUSES_S = (0.0, 0.2, 0.5, 1.0)
_STEADY_TRIES = 3


class CoinspotVenue:
    """Calls are serialized by the client. `lag_s` is waited before what a list lacks is believed to be absent."""

    def __init__(self, client: CoinspotClient, terms: Terms, *, lag_s: float = LAG_S) -> None:
        self._client = client
        self._threshold = str(Decimal(terms.instant_fee_bps) / 100 + SLIPPAGE_PERCENT)
        self._lag_s = lag_s

    def __repr__(self) -> str:
        return f"CoinspotVenue({self._client!r})"

    async def place(self, approved: Approved) -> Placement:
        intent = approved.intent
        since = intent.quoted_at - CLOCK_SKEW
        try:
            known = await self._listed_before(intent, since)
            answer = await self._client.act(*self._order(intent), approved.sender)
        except VenueRefused as refusal:
            return Rejected(str(refusal))
        order_id = str(answer["id"]) if answer.get("id") else None
        try:
            return await self._settled(intent, since, known, order_id)
        except (OutcomeUnknown, Unavailable, VenueRefused):
            # It was taken. Whatever keeps us from seeing what it did, it must not be sent again.
            return Placed(order_id, (), open=True)

    async def find(self, intent: OrderIntent, since: datetime, known: frozenset[str]) -> Finding:
        """Reading spends later nonces than the lost request's, so what is not listed now never will be."""
        # `since` may come from another clock than the venue's; the quote's time is the venue's own.
        since = min(since, intent.quoted_at) - CLOCK_SKEW
        try:
            found = await self._confirmed(intent, since, known)
            if found is None:
                return Absent()
            if found.working is None:
                return Placed(found.venue_order_id, found.fills, open=False)
            return await self._settled(intent, since, known, found.venue_order_id)
        except VenueRefused as refusal:
            raise Unavailable(f"order {intent.client_order_id}: the venue does not let us look: {refusal}") from None

    async def cancel_all(self) -> int:
        orders = await self._open_orders()
        for side in Side:
            try:
                await self._client.act(f"my/{side}/cancel/all", {})
            except VenueRefused as refusal:
                raise Unavailable(f"open orders were not cancelled: {refusal}") from None
        return len(orders)

    async def balances(self) -> Mapping[str, Decimal]:
        try:
            return balances_of(await self._client.read("my/balances"))
        except VenueRefused as refusal:
            raise Unavailable(f"balances were not shown: {refusal}") from None

    async def close(self) -> None:
        await self._client.close()

    async def _listed_before(self, intent: OrderIntent, since: datetime) -> frozenset[str]:
        """Fills that are listed before an instant order is sent, and so are not its own: nothing else would tell."""
        if intent.kind is OrderKind.MARKET:
            return frozenset()
        try:
            return frozenset(each.fill.fill_id for each in await self._fills(intent.coin, since))
        except OutcomeUnknown as fault:
            raise Unavailable(str(fault)) from None

    def _order(self, intent: OrderIntent) -> tuple[str, dict[str, str]]:
        """The path and the fields of an order. Amounts are coins, always."""
        fields = {"cointype": intent.coin, "amount": _plain(intent.quantity), "rate": _plain(intent.quote_price_aud)}
        match intent.kind:
            case OrderKind.MARKET:
                return f"my/{intent.side}", {**fields, "markettype": "AUD"}
            case OrderKind.INSTANT:
                direction = "UP" if intent.side is Side.BUY else "DOWN"
                guard = {"amounttype": "coin", "threshold": self._threshold, "direction": direction}
                return f"my/{intent.side}/now", {**fields, **guard}

    async def _settled(
        self, intent: OrderIntent, since: datetime, known: frozenset[str], order_id: str | None
    ) -> Placed:
        """Follow an order that was taken to its end: filled whole, or its rest cancelled and its fills listed."""
        expected = intent.quantity
        for pause in _PAUSES_S:
            await asyncio.sleep(pause)
            found = await self._look(intent, since, known, order_id)
            if found and found.working:
                order_id = found.working.venue_order_id
                if await self._cancelled(found.working):
                    expected = intent.quantity - found.working.quantity
                    await asyncio.sleep(self._lag_s)
                found = await self._look(intent, since, known, order_id)
            filled = found.filled if found else ZERO
            if filled >= expected and not (found and found.working):
                return Placed(order_id, found.fills if found else (), open=False)
        raise OutcomeUnknown(f"order {intent.client_order_id} was taken and is not listed whole yet")

    async def _cancelled(self, order: ListedOrder) -> bool:
        """Whether the venue took it off its book; if not, it may just have been filled."""
        try:
            await self._client.act(f"my/{order.side}/cancel", {"id": order.venue_order_id})
        except VenueRefused:
            return False
        return True

    async def _confirmed(self, intent: OrderIntent, since: datetime, known: frozenset[str]) -> Match | None:
        """What is listed, looked at twice unless it accounts for the whole order."""
        found = await self._look(intent, since, known, None)
        if found is not None and found.quantity == intent.quantity:
            return found
        await asyncio.sleep(self._lag_s)
        return await self._look(intent, since, known, None)

    async def _look(
        self, intent: OrderIntent, since: datetime, known: frozenset[str], order_id: str | None
    ) -> Match | None:
        """Both lists as of one moment. An order that fills between two readings would be in both, or in neither."""
        if intent.kind is OrderKind.INSTANT or order_id is not None:
            fills = await self._fills(intent.coin, since)
            found = match(intent, fills, (), since=since, known=known, venue_order_id=order_id)
            if intent.kind is OrderKind.INSTANT or (found and found.filled == intent.quantity):
                return found
        for _ in range(_STEADY_TRIES):
            working = await self._open_orders(intent.coin)
            fills = await self._fills(intent.coin, since)
            if not working or working == await self._open_orders(intent.coin):
                return match(intent, fills, working, since=since, known=known, venue_order_id=order_id)
        raise Unavailable(f"{intent.coin}: the open orders change while they are read")

    async def _fills(self, coin: str, since: datetime) -> list[ListedFill]:
        fields = {"cointype": coin, "startdate": str(int(since.timestamp())), "limit": str(LISTED_AT_MOST)}
        answer = await self._client.read("my/orders/completed", fields)
        if rows_shown(answer) >= LISTED_AT_MOST:
            raise OutcomeUnknown(f"{coin}: more than {LISTED_AT_MOST} completed orders since {since.isoformat()}")
        return fills_of(answer)

    async def _open_orders(self, coin: str | None = None) -> list[ListedOrder]:
        fields = {} if coin is None else {"cointype": coin}
        try:
            return open_orders_of(await self._client.read("my/orders/market/open", fields))
        except VenueRefused as refusal:
            raise Unavailable(f"open orders were not shown: {refusal}") from None


class CoinspotPaperVenues:
    """A Venues that opens every deployment's account at a sandbox exchange, named by the deployment's id. Key and
    secret stay in the memory of whoever holds the venue."""

    def __init__(self, control: SandboxControl, base_url: str, nonces: NonceStore, terms: Terms) -> None:
        self._control = control
        self._base_url = base_url
        self._nonces = nonces
        self._terms = terms

    def __repr__(self) -> str:
        return f"CoinspotPaperVenues({self._base_url!r})"

    async def open(self, deployment: Deployment) -> CoinspotVenue:
        account = str(deployment.id)
        credentials = await self._control.open_account(account, deployment.cash_aud)
        client = CoinspotClient(self._base_url, credentials, self._nonces, account=account)
        # A sandbox lists what it did before it answers.
        return CoinspotVenue(client, self._terms, lag_s=0.0)


def _plain(value: Decimal) -> str:
    """Eight decimals, as text: it reads the same under every way to sign."""
    return f"{eight_places(value):f}"
