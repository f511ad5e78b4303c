"""One CoinSpot account as a Venue.

Market orders are limits at the price they were sized on; what the book leaves of them rests there, and is cancelled by
whoever sent it: only once it has written down that the venue has it, for a cancelled order is listed nowhere. Instant
orders carry that price with a threshold, because what a venue calls its rate may or may not have the fee inside: the
threshold lets the fee pass, and one percent of slippage. CoinSpot acknowledges an order without its fills, and an
instant order without even an id, so what happened is read from the account's own lists and recognized there.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.line import Channel
from omc.adapters.coinspot.nonce import NonceStore
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.coinspot.signature import Credentials
from omc.adapters.coinspot.wire import (
    balances_of,
    fills_of,
    held_back_of,
    levels_of,
    open_orders_of,
    rate_of,
    rows_shown,
)
from omc.clock import Clock
from omc.errors import KeyRefused, OmcError, OutcomeUnknown, RateLimited, Unavailable, VenueRefused
from omc.market.money import ZERO, eight_places
from omc.market.terms import OrderKind, Terms
from omc.risk.verdict import Approved
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.listed import ListedFill, ListedOrder, VenueReport
from omc.trading.order import OrderIntent
from omc.trading.reconciliation.books import CASH
from omc.trading.reconciliation.matching import Match, match
from omc.trading.routing import Level
from omc.trading.venue import Absent, Capabilities, Finding, Placed, Placement, Rejected

CLOCK_SKEW = timedelta(minutes=2)
"""How far the venue's clock may be behind the one that stamped the quote."""
SLIPPAGE_PERCENT = 1
LISTED_AT_MOST = 500
_SEEN_AT_MOST = 4 * LISTED_AT_MOST
SANDBOX_LAG_S = 0.25
"""A sandbox exchange lists what it did before it answers, unless it was told to misbehave: then it is behind by less
than this."""
SANDBOX_SLOW_S = 0.25
"""A sandbox exchange has carried out what it took in before it answers anybody else, unless it was told to misbehave:
then it does so in less than this."""
LAG_S = 2.0
"""How long a real venue may take to list what it did: an assumption, for nobody has measured it."""
SLOW_S = 60.0
"""How long a real venue may take to carry out what it took in, though it answers later requests meanwhile, and to show
it: an assumption, too, and a generous one, for an order is sent again on the strength of it."""
CAPABILITIES = Capabilities(
    client_order_ids=False,
    order_lookup=False,
    instant_order_ids=False,
    resting_orders=True,
    replace=True,
    streams=False,
    read_only_keys=True,
    shows_withdrawal_right=False,
)
_PAUSES_S = (0.0, 0.2, 0.5, 1.0)
_STEADY_TRIES = 3
_AGAIN_S = (0.1, 0.3)
_PATIENCE_S = 1.0
"""How long a reading may have taken that is asked for again at once."""
_KEYS_AT_MOST = 1000


class CoinspotVenue:
    """Calls are serialized by the client. `lag_s` is waited before what a list lacks is believed not to be on it."""

    def __init__(self, client: CoinspotClient, terms: Terms, *, lag_s: float = LAG_S, slow_s: float = SLOW_S) -> None:
        self._client = client
        self._threshold = str(Decimal(terms.instant_fee_bps) / 100 + SLIPPAGE_PERCENT)
        self._lag_s = lag_s
        self._slow_s = slow_s
        self._signed: dict[str, Credentials] = {}
        """By name: the key that an order in doubt was signed with, as far as this venue sent it."""
        self._seen: dict[str, datetime] = {}
        """Fills that were listed to us, as far back as anybody asks for them."""

    def __repr__(self) -> str:
        return f"CoinspotVenue({self._client!r})"

    async def place(self, approved: Approved) -> Placement:
        intent = approved.intent
        since = intent.quoted_at - CLOCK_SKEW
        try:
            known = await self._listed_before(intent, since)
            self._signed.pop(intent.client_order_id, None)
            answer = await self._client.act(*self._order(intent), approved.sender, gate=approved.gate, once=True)
        except VenueRefused as refusal:
            return Rejected(str(refusal), key=isinstance(refusal, KeyRefused))
        except OutcomeUnknown:
            self._keep_key(intent)
            raise
        order_id = str(answer["id"]) if answer.get("id") else None
        try:
            return await self._settled(intent, since, known, order_id)
        except (OutcomeUnknown, Unavailable, VenueRefused):
            # It was taken. Whatever keeps us from seeing what it did, it must not be sent again.
            return Placed(order_id, (), open=True)

    async def find(
        self, intent: OrderIntent, since: datetime, known: frozenset[str], venue_order_id: str | None = None
    ) -> Finding:
        """Reading spends later nonces than the lost request's, so it cannot arrive any more: that holds for the key
        that it was signed with, and for no other."""
        # `since` may come from another clock than the venue's; the quote's time is the venue's own.
        since = min(since, intent.quoted_at) - CLOCK_SKEW
        try:
            found = await self._confirmed(intent, since, known, venue_order_id)
            if found is not None:
                return _placed(found)
            self._check_key(intent)
            return Absent()
        except VenueRefused as refusal:
            raise Unavailable(f"order {intent.client_order_id}: the venue does not let us look: {refusal}") from None

    async def cancel(self, intent: OrderIntent, venue_order_id: str) -> None:
        await self._client.act(f"my/{intent.side}/cancel", {"id": venue_order_id}, urgent=True)

    async def replace(self, approved: Approved, venue_order_id: str, price_aud: Decimal, new_price_aud: Decimal) -> str:
        intent = approved.intent
        rates = {"rate": _plain(price_aud), "newrate": _plain(new_price_aud)}
        fields = {"cointype": intent.coin, "id": venue_order_id, **rates}
        answer = await self._client.act(
            f"my/{intent.side}/edit", fields, approved.sender, gate=approved.gate, once=True
        )
        return str(answer.get("id") or venue_order_id)

    async def cancel_all(self) -> int:
        try:
            listed = len(open_orders_of(await self._client.read("my/orders/market/open", {}, urgent=True)))
        except (Unavailable, VenueRefused):
            # They are cancelled all the same, though nobody can say how many there were.
            listed = 0
        faults: list[OmcError] = []
        for side in Side:
            try:
                await self._client.act(f"my/{side}/cancel/all", {}, urgent=True)
            except (OutcomeUnknown, Unavailable, VenueRefused) as fault:
                # One side's trouble keeps no order of the other on the book.
                faults.append(fault)
        if faults:
            raise Unavailable(f"open orders were not cancelled: {faults[0]}")
        return listed

    async def balances(self) -> Mapping[str, Decimal]:
        try:
            return balances_of(await self._read("my/balances"))
        except VenueRefused as refusal:
            raise Unavailable(f"balances were not shown: {refusal}") from None

    async def unlisted(self, coin: str) -> Decimal | None:
        working = await self._open_orders()
        try:
            held_back = held_back_of(await self._read(f"my/balance/{coin}?available=yes"), coin)
        except VenueRefused as refusal:
            raise Unavailable(f"the balance of {coin} was not shown: {refusal}") from None
        return None if held_back is None else held_back - sum((_asked_for(each, coin) for each in working), ZERO)

    async def book(self, coin: str, side: Side) -> Sequence[Level]:
        try:
            fields = {"cointype": coin, "markettype": "AUD"}
            return levels_of(await self._read("orders/market/open", fields), side)
        except VenueRefused:
            return ()

    async def instant_price(self, coin: str, side: Side, quantity: Decimal) -> Decimal | None:
        fields = {"cointype": coin, "amount": _plain(quantity), "amounttype": "coin"}
        try:
            return rate_of(await self._client.act(f"quote/{side}/now", fields))
        except VenueRefused:
            return None
        except OutcomeUnknown as fault:
            raise Unavailable(str(fault)) from None

    async def report(self, since: datetime) -> VenueReport:
        before = await self._shown(since)
        for _ in range(_STEADY_TRIES):
            # What a list that is behind has not shown yet, it shows after the longest lag: two readings alike, so far
            # apart, are the account as of the first.
            await asyncio.sleep(self._lag_s)
            now = await self._shown(since)
            if now == before:
                return now
            before = now
        raise Unavailable("the account changes while it is read")

    @property
    def slow_s(self) -> float:
        return self._slow_s

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    async def close(self) -> None:
        await self._client.close()

    def _keep_key(self, intent: OrderIntent) -> None:
        if len(self._signed) >= _KEYS_AT_MOST:
            del self._signed[next(iter(self._signed))]
        if self._client.signed_with is not None:
            self._signed[intent.client_order_id] = self._client.signed_with

    def _check_key(self, intent: OrderIntent) -> None:
        signed = self._signed.get(intent.client_order_id)
        if signed is not None and signed != self._client.signed_with:
            raise Unavailable(
                f"order {intent.client_order_id} was signed with a key that was replaced since: nobody can say that it "
                "will not arrive"
            )

    async def _shown(self, since: datetime) -> VenueReport:
        try:
            fills = await self._fills(None, since)
        except (OutcomeUnknown, VenueRefused) as fault:
            raise Unavailable(f"fills were not shown: {fault}") from None
        working, balances = await self._open_orders(), await self.balances()
        return VenueReport(since, balances, tuple(working), tuple(fills))

    async def _listed_before(self, intent: OrderIntent, since: datetime) -> frozenset[str]:
        """Fills that are listed before an instant order is sent, and so are not its own: nothing else would tell."""
        if intent.kind is OrderKind.MARKET:
            return frozenset()
        try:
            await self._fills(intent.coin, since)
            # A list that is behind may lack what another showed already.
            return frozenset(self._seen)
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
        """Follow an order that was taken until it is listed: filled whole, or on the book."""
        for pause in _PAUSES_S:
            await asyncio.sleep(pause)
            found = await self._look(intent, since, known, order_id)
            if found and (found.working or found.filled >= intent.quantity):
                return _placed(found)
        raise OutcomeUnknown(f"order {intent.client_order_id} was taken and is not listed whole yet")

    async def _confirmed(
        self, intent: OrderIntent, since: datetime, known: frozenset[str], order_id: str | None
    ) -> Match | None:
        """What is listed, looked at twice unless it accounts for the whole order."""
        found = await self._look(intent, since, known, order_id)
        if found is not None and found.quantity == intent.quantity:
            return found
        await asyncio.sleep(self._lag_s)
        return await self._look(intent, since, known, order_id)

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

    async def _read(self, path: str, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
        """A reading whose answer is lost is asked for again: it is one of many that a look is made of. Not when it was
        waited for long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for pause in _AGAIN_S:
            try:
                return await self._client.read(path, fields)
            except RateLimited:
                raise
            except Unavailable:
                if loop.time() - began > _PATIENCE_S:
                    raise
            await asyncio.sleep(pause)
        return await self._client.read(path, fields)

    async def _fills(self, coin: str | None, since: datetime) -> list[ListedFill]:
        fields = {"startdate": str(int(since.timestamp())), "limit": str(LISTED_AT_MOST)}
        which = {} if coin is None else {"cointype": coin}
        answer = await self._read("my/orders/completed", which | fields)
        if rows_shown(answer) >= LISTED_AT_MOST:
            raise OutcomeUnknown(
                f"{coin or 'all coins'}: more than {LISTED_AT_MOST} completed orders since {since.isoformat()}"
            )
        fills = fills_of(answer)
        self._seen |= {each.fill.fill_id: each.fill.executed_at for each in fills}
        if len(self._seen) > _SEEN_AT_MOST:
            latest = sorted(self._seen.items(), key=lambda each: each[1])
            self._seen = dict(latest[len(latest) // 2 :])
        return fills

    async def _open_orders(self, coin: str | None = None) -> list[ListedOrder]:
        fields = {} if coin is None else {"cointype": coin}
        try:
            return open_orders_of(await self._read("my/orders/market/open", fields))
        except VenueRefused as refusal:
            raise Unavailable(f"open orders were not shown: {refusal}") from None


class CoinspotPaperVenues:
    """A Venues that opens every deployment's account at a sandbox exchange, named by the deployment's id. Key and
    secret stay in the memory of whoever holds the venue."""

    def __init__(
        self,
        control: SandboxControl,
        base_url: str,
        nonces: NonceStore,
        terms: Terms,
        *,
        clock: Clock | None = None,
        line: Callable[[], Channel] | None = None,
    ) -> None:
        self._control = control
        self._base_url = base_url
        self._nonces = nonces
        self._terms = terms
        self._clock = clock
        self._line = line

    def __repr__(self) -> str:
        return f"CoinspotPaperVenues({self._base_url!r})"

    async def open(self, deployment: Deployment) -> CoinspotVenue:
        account = str(deployment.id)
        credentials = await self._control.open_account(account, deployment.cash_aud)
        line = self._line() if self._line else None
        client = CoinspotClient(
            self._base_url, credentials, self._nonces, account=account, clock=self._clock, line=line
        )
        return CoinspotVenue(client, self._terms, lag_s=SANDBOX_LAG_S, slow_s=SANDBOX_SLOW_S)


def _placed(found: Match) -> Placed:
    working = found.working
    return Placed(
        found.venue_order_id, found.fills, open=working is not None, price_aud=working.price_aud if working else None
    )


def _asked_for(order: ListedOrder, coin: str) -> Decimal:
    """How much of a coin, or of cash under "AUD", an open order must be good for."""
    if order.side is Side.BUY:
        return order.quantity * order.price_aud if coin == CASH else ZERO
    return order.quantity if coin == order.coin else ZERO


def _plain(value: Decimal) -> str:
    """Eight decimals, as text: it reads the same under every way to sign."""
    return f"{eight_places(value):f}"
