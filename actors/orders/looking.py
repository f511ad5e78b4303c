"""Looking for an order at the venue, and what is made of what is seen there."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from actors.orders.silence import Silence
from actors.sharing import sharing
from omc.errors import Ambiguous, OutcomeUnknown, Unavailable
from omc.market.terms import OrderKind
from omc.risk.kill_switch import HaltLevel
from omc.trading import outcome
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.table import Said, order_vs_venue
from omc.trading.venue import Absent, Finding

if TYPE_CHECKING:
    from actors.orders.sender import RiskPorts, Sender

LOOKS_FOR_TAKEN = 12
"""Two minutes by the usual cadence: no list of a venue's lags that far behind."""
_LOOKS_FOR_INSTANT = 60
"""Half an hour."""
_LOOKS_FOR_UNEXPLAINED = 60
"""The same."""
LOOKS_FOR_AMBIGUOUS = 3
"""Lists that are not whole yet may look as if two orders could be one."""
_TAKEN = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIAL})
_LOOK_BACK = timedelta(hours=1)
"""A venue whose clock is behind looks for fills before the quote too, so it is told what other orders own there."""
_PAGE = 100
_HALT = "halt"
_TOLD = (_HALT, str(OrderStatus.SUBMITTED))


class Looking:
    """For one sender, whose lock is held."""

    def __init__(self, ports: "RiskPorts", sender: "Sender") -> None:
        self._ports = ports
        self._sender = sender
        self.silence = Silence(ports, sender)

    async def look(self, order: Order, looks: int, ends: str) -> tuple[Order, bool]:
        """One look for an order that was sent, and is neither final nor known to rest. True when the venue never took
        it and never will, so that it may be sent again: not when it is to end, nor when its quote is old."""
        try:
            finding = await self.find(order)
        except Ambiguous as many:
            return await self._ambiguous(order, str(many), looks), False
        except (OutcomeUnknown, Unavailable) as unsure:
            return await self._in_doubt(order, str(unsure)), False
        if isinstance(finding, Absent):
            return await (self._lagging(order, looks) if order.status in _TAKEN else self._absent(order, ends))
        self.silence.end(order.intent.client_order_id)
        found = outcome.placed(order, finding)
        return (order if found == order else await self._sender.settle(found)), False

    async def find(self, order: Order) -> Finding:
        """What the venue shows of an order, with everything left aside that others of this account own."""
        intent, blotter = order.intent, self._ports.blotter
        deployment = await self._ports.deployments.get(intent.deployment_id)
        together = [each.id for each in await sharing(self._ports.deployments, deployment)]
        known = set(await blotter.fill_ids(together, intent.quoted_at - _LOOK_BACK))
        known |= self._sender.claimed
        known -= {fill.fill_id for fill in order.fills}
        others = (other for name, other in self._sender.under_way.items() if name != intent.client_order_id)
        known |= {other.venue_order_id for other in others if other.venue_order_id is not None}
        async with self._sender.door.sending(deployment) as venue:
            try:
                async with asyncio.timeout(self._ports.call_s):
                    return await venue.find(intent, intent.quoted_at, frozenset(known), order.venue_order_id)
            except TimeoutError:
                raise Unavailable(f"the venue shows nothing within {self._ports.call_s:g} s") from None

    async def _ambiguous(self, order: Order, message: str, looks: int) -> Order:
        """Several things at the venue could be it: after some looks, a person must say. That the venue took it is not
        forgotten meanwhile, for what is merely unknown may be sent again."""
        if order.status is OrderStatus.SUBMITTED:
            return await self._sender.settle(order.become(OrderStatus.UNKNOWN, message=message))
        if looks < LOOKS_FOR_AMBIGUOUS:
            return order
        return await self._sender.settle(order.become(OrderStatus.UNRESOLVED, message=message))

    async def _lagging(self, order: Order, looks: int) -> tuple[Order, bool]:
        """The venue said that it took the order, and lists it nowhere. To send it again could make two of one."""
        if order.intent.kind is OrderKind.INSTANT:
            # It cannot have left a book, so it was executed, and must be listed some time.
            if looks < _LOOKS_FOR_INSTANT:
                return order, False
            message = "the venue said that it took it, and lists it nowhere"
            return await self._sender.settle(order.become(OrderStatus.UNRESOLVED, message=message)), False
        if looks < LOOKS_FOR_TAKEN:
            return order, False
        # A limit that neither works nor was filled is off the book.
        message = "the venue took it, and it left its book without a fill"
        return await self._sender.settle(order.become(OrderStatus.CANCELLED, message=message)), False

    async def _absent(self, order: Order, ends: str) -> tuple[Order, bool]:
        """The venue shows no trace of it. Unless a desk that was cut off has it, and has taken it off the book since:
        then that is stored."""
        name = order.intent.client_order_id
        stored = await self._ports.blotter.order(name)
        if stored is not None and stored.status is not order.status:
            return self._sender.under_way.know(stored), False
        order = await self._in_doubt(order, "the venue has no trace of it")
        deployment = await self._ports.deployments.get(order.intent.deployment_id)
        doubt = await self.silence.doubt(order, await sharing(self._ports.deployments, deployment))
        if doubt and self.silence.in_vain(name) < _LOOKS_FOR_UNEXPLAINED:
            return order, False
        if doubt:
            message = f"the venue lists no trace of it, and it may have it all the same: {doubt}"
            return await self._sender.settle(order.become(OrderStatus.UNRESOLVED, message=message)), False
        return await self._never_arrived(order, ends)

    async def _never_arrived(self, order: Order, ends: str) -> tuple[Order, bool]:
        """The venue never took it, and never will."""
        board = None if ends else await self._ports.quotes.newest()
        if board is None and not ends:
            return order, False
        if board is not None and outcome.is_fresh(order.intent, board.time):
            if not await self._was_stopped(order):
                return order, True
            ends = "a stop since may have taken it off the book"
        why = ends or "its quote is too old to send it again"
        message = f"it never reached the venue, and {why}"
        ended = order_vs_venue(order.status, Said.NOT_FOUND).status
        return await self._sender.settle(order.become(ended, message=message)), False

    async def _was_stopped(self, order: Order) -> bool:
        """Whether everything was stopped since it was written ahead, be that reset by now, and whichever desk carried
        it out: what rested then was cancelled, and leaves no trace where nothing of it was executed."""
        intent, offset = order.intent, 0
        while True:
            lines, total = await self._ports.blotter.journal(intent.user_id, None, _TOLD, offset, _PAGE)
            for line in lines:
                if line.kind != _HALT and line.data.get("client_order_id") == intent.client_order_id:
                    return False
                stops = line.kind == _HALT and line.data["level"] == HaltLevel.ALL
                if stops and line.deployment_id in (None, intent.deployment_id):
                    return True
            offset += len(lines)
            if not lines or offset >= total:
                return False

    async def _in_doubt(self, order: Order, message: str) -> Order:
        if order.status is not OrderStatus.SUBMITTED:
            # Unknown already, or taken: that the venue said so must not be forgotten.
            return order
        return await self._sender.settle(order.become(OrderStatus.UNKNOWN, message=message))
