"""An order that rests on a venue's book, worked to its end: looked at, moved when that is asked for, and cancelled when
its time is over or somebody ends it.

What is to be done is written ahead: CANCELLING before the cancel is sent, REPLACING before the move. An answer that is
lost is never guessed at, for the book shows what became of it: the order at its old limit, at the new one, or gone.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from actors.orders.looking import LOOKS_FOR_AMBIGUOUS, LOOKS_FOR_TAKEN
from actors.orders.wishes import Wish
from omc.errors import Ambiguous, Conflict, Halted, OmcError, OutcomeUnknown, StaleLease, Unavailable, VenueRefused
from omc.risk.verdict import Approved, Denied
from omc.trading import outcome
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.venue import Absent, Placed, Venue

if TYPE_CHECKING:
    from actors.orders.sender import RiskPorts, Sender

_LOOKS_FOR_CANCELLED = 2
"""A fill may be listed a moment after the order that it belongs to was cancelled."""
_WORKS = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIAL})
_MOVED = "cancelled to be placed anew at {:f}: this venue moves no order"


class Working:
    """For one sender. Between two steps its lock is free: while an order rests, others of its account trade."""

    def __init__(self, ports: "RiskPorts", sender: "Sender") -> None:
        self._ports = ports
        self._sender = sender

    async def work(self, order: Order, trader: Lease | None, wish: Wish) -> Order:
        """Until it is final."""
        began, gone = asyncio.get_running_loop().time(), 0
        anew: Decimal | None = None
        while outcome.rests(order):
            # Of a move whose answer was lost, a look at the book must tell first.
            if order.status in _WORKS or (order.status is OrderStatus.REPLACING and gone):
                why = wish.ends or self._sender.halted(order.intent)
                if not why and not gone:
                    why = await self._over(order, began)
                if not why and not gone and wish.moves:
                    order, anew = await self._move(order, wish)
                    if not outcome.rests(order):
                        break
                    why = _MOVED.format(anew) if anew is not None else ""
                if why:
                    async with self._sender.lock:
                        order = await self._sender.settle(order.become(OrderStatus.CANCELLING, message=why))
                    # What took it off the book may be what it is to end for: from here on two looks tell.
                    gone = 0
            if order.status is OrderStatus.CANCELLING:
                wish.move_no_more(Conflict(f"it is being cancelled: {order.message}"))
                if not gone:
                    await self._cancel(order)
            order, gone = await self._look(order, gone)
            if outcome.rests(order):
                # A venue counts an account's requests: the more of its orders rest, the less often each is looked at.
                await wish.rest(self._ports.cadence.pause_s(gone) * max(1, len(self._sender.under_way)))
        if anew is not None and trader is not None and order.left and not wish.ends:
            order = await self._again(order, anew, trader)
        return order

    async def _over(self, order: Order, began: float) -> str:
        """Why it ends now by itself; empty while it does not. Its time is the venue's; that clock may stand, or jump
        back, so ours ends it as well."""
        good_for_s = order.intent.good_for_s
        if not good_for_s:
            return outcome.AT_ONCE
        if why := await self._sender.idle(order.intent):
            return why
        board = await self._ports.quotes.newest()
        by_venue = board is not None and board.time >= order.intent.quoted_at + timedelta(seconds=good_for_s)
        if by_venue or asyncio.get_running_loop().time() - began >= good_for_s or await self._sender.stands():
            return outcome.TIME_OVER
        return ""

    async def _cancel(self, order: Order) -> None:
        """Ask the venue to take it off its book; whatever the answer, a look follows that tells."""
        async with self._sender.lock, await self._venue_of(order) as venue:
            try:
                async with asyncio.timeout(self._ports.call_s):
                    await venue.cancel(order.intent, order.venue_order_id or "")
            except (VenueRefused, OutcomeUnknown, Unavailable, TimeoutError):
                return

    async def _look(self, order: Order, gone: int) -> tuple[Order, int]:
        """The order after one look, and how often in a row it was seen to be off the book."""
        async with self._sender.lock:
            try:
                finding = await self._find(order)
            except Ambiguous as many:
                if gone + 1 < LOOKS_FOR_AMBIGUOUS:
                    return order, gone + 1
                return await self._sender.settle(order.become(OrderStatus.UNRESOLVED, message=str(many))), 0
            except (OutcomeUnknown, Unavailable):
                return order, gone
            found = outcome.seen(order, finding)
            if finding.open or found.status.final:
                gone = 0
            else:
                gone += 1
                cancelling = order.status is OrderStatus.CANCELLING
                if gone >= (_LOOKS_FOR_CANCELLED if cancelling else LOOKS_FOR_TAKEN):
                    found = outcome.gone(found)
            return (order if found == order else await self._sender.settle(found)), gone

    async def _find(self, order: Order) -> Placed:
        """The order under its id; or, off the book there, under another: a move whose answer was lost may have given it
        one, and filled it at once."""
        found = await self._sender.find(order)
        here = Placed(order.venue_order_id, (), open=False) if isinstance(found, Absent) else found
        lost = order.status is OrderStatus.REPLACING and order.left and not here.open
        # What its own id shows for the first time is counted before anything else could be taken for its.
        if not lost or order.filled_by(here.fills) != order:
            return here
        moved = replace(order.intent, quantity=order.left, quote_price_aud=order.price_aud)
        there = await self._sender.find(Order(moved, order.status))
        if isinstance(there, Placed) and (there.open or outcome.fills_whole(moved, there)):
            return there
        return here

    # Moving

    async def _move(self, order: Order, wish: Wish) -> tuple[Order, Decimal | None]:
        """Carry out the oldest wish to move it, and say to who asked how it ended. Where the venue moves no order, the
        price that it is to be placed anew at, once it is cancelled."""
        price, told = wish.moves.pop(0)
        if price == order.price_aud:
            wish.tell(told)
            return order, None
        try:
            order, can = await self._replace(order, price)
            if not can:
                wish.tell(told)
                return order, price
            order, _ = await self._look(order, 0)
        except OmcError as no:
            wish.tell(told, no)
            if isinstance(no, Conflict) and not isinstance(no, StaleLease):
                return order, None
            raise
        except BaseException:
            wish.tell(told, Unavailable("nobody knows whether it was moved"))
            raise
        wish.tell(told, _not_moved(order, price))
        return order, None

    async def _replace(self, order: Order, price: Decimal) -> tuple[Order, bool]:
        """Write ahead that it is being moved, and ask the venue to; False where that cannot. Conflict is our no."""
        sender, before = self._sender, order.price_aud
        async with sender.lock:
            verdict = await self._assess(order, price)
            async with await self._venue_of(order) as venue:
                if not venue.capabilities.replace:
                    return order, False
                lease = sender.office.in_force()
                order = await sender.settle(replace(order.become(OrderStatus.REPLACING), limit_aud=price))
                try:
                    async with asyncio.timeout(self._ports.call_s):
                        ticket = sender.ticket(verdict, lease)
                        known_as = await venue.replace(ticket, order.venue_order_id or "", before, price)
                    order = order.known_as(known_as)
                except StaleLease:
                    await sender.check_own(lease)
                    raise
                except (Halted, VenueRefused, OutcomeUnknown, Unavailable, TimeoutError):
                    # The look that follows tells where it stands.
                    return order, True
        return order, True

    async def _assess(self, order: Order, price: Decimal) -> Approved:
        deployment = await self._ports.deployments.get(order.intent.deployment_id)
        verdict = await self._sender.assess(await self._at(order, price), deployment, liquidating=False)
        if isinstance(verdict, Denied):
            raise Conflict(f"it may not be moved: {verdict.reason}: {verdict.message}")
        return verdict

    async def _at(self, order: Order, price: Decimal) -> OrderIntent:
        """What is left of it, at another price, now."""
        board = await self._ports.quotes.newest()
        quoted_at = board.time if board else order.intent.quoted_at
        return replace(order.intent, quantity=order.left, quote_price_aud=price, quoted_at=quoted_at)

    async def _again(self, order: Order, price: Decimal, trader: Lease) -> Order:
        """Place what is left as an order of its own; the order, with the fills of both."""
        name = order.intent.client_order_id
        intent = replace(await self._at(order, price), client_order_id=f"{name}:r", slice_of=name)
        child = await self._sender.carry(intent, trader)
        both = replace(order, fills=order.fills + child.fills)
        return replace(both, status=OrderStatus.FILLED if not both.left else order.status)

    async def _venue_of(self, order: Order) -> AbstractAsyncContextManager[Venue]:
        return self._sender.door.sending(await self._ports.deployments.get(order.intent.deployment_id))


def _not_moved(order: Order, price: Decimal) -> OmcError | None:
    """What to say to who asked for a move, after a look; None when it was moved, or filled."""
    if order.status is OrderStatus.REPLACING:
        return Unavailable("nobody knows yet whether it was moved")
    if outcome.rests(order) and order.price_aud != price:
        return Conflict(f"it was not moved: it is {order.status} at {order.price_aud:f}")
    return None
