"""One account's way to its venue: opened when it is first needed, one call or one sending at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from omc.errors import OmcError, Unavailable, VenueRefused
from omc.trading.deployment import Deployment, Mode
from omc.trading.order import Order, OrderIntent
from omc.trading.routing import Level
from omc.trading.venue import Venue

if TYPE_CHECKING:
    from actors.office import RiskPorts


class Door:
    def __init__(self, ports: "RiskPorts") -> None:
        self._ports = ports
        self._turn = asyncio.Lock()
        self._venue: Venue | None = None
        self._gone = False

    @property
    def at_rest(self) -> bool:
        """Whether nobody goes through it."""
        return not self._turn.locked()

    @asynccontextmanager
    async def sending(self, deployment: Deployment) -> AsyncIterator[Venue]:
        """The venue, for one call or one sending: one sender a key, and one call at a time."""
        async with self._turn:
            self.check_here()
            if self._venue is None:
                self._venue = await self._ports.venues.open(deployment)
            yield self._venue

    async def cancel_all(self, deployment: Deployment, under_way: Iterable[Order]) -> int:
        """Without waiting for a turn: whoever has it may be waiting for a database. On an account that its owner trades
        by hand, too, only what is ours."""
        venue = self._venue
        if venue is None:
            async with self.sending(deployment) as opened:
                venue = opened
        if deployment.mode is Mode.PAPER:
            return await venue.cancel_all()
        return await _cancel(venue, [each for each in under_way if each.intent.deployment_id == deployment.id])

    async def ways(self, intent: OrderIntent, deployment: Deployment) -> tuple[Sequence[Level] | None, Decimal | None]:
        """What the venue shows that an order on its book would trade with, and what a coin would cost instantly; None
        for what it does not say."""
        book, instant = None, None
        with suppress(Unavailable, TimeoutError):
            async with self.sending(deployment) as venue, asyncio.timeout(self._ports.call_s):
                book = await venue.book(intent.coin, intent.side) or None
                instant = await venue.instant_price(intent.coin, intent.side, intent.quantity)
        return book, instant

    async def leave(self) -> None:
        """Send nothing any more, and close the account: whoever comes for it next makes another sender."""
        self._gone, venue, self._venue = True, self._venue, None
        if venue is not None:
            await venue.close()

    def check_here(self) -> None:
        if self._gone:
            raise Unavailable("its account has been closed meanwhile: ask again")


async def _cancel(venue: Venue, orders: Sequence[Order]) -> int:
    """Raises the first fault that kept an order on the book, after all of them were tried."""
    cancelled, faults = 0, list[OmcError]()
    for order in orders:
        if order.venue_order_id is None:
            continue
        try:
            await venue.cancel(order.intent, order.venue_order_id)
            cancelled += 1
        except VenueRefused:
            # It is not on the book: it was filled, or is cancelled already.
            continue
        except OmcError as fault:
            faults.append(fault)
    if faults:
        raise faults[0]
    return cancelled
