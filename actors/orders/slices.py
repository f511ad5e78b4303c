"""An order that is carried out in slices: when each has its turn, and what came of all of them together.

The plan is journaled with the order, and every slice has its name from it, so whoever goes on after a death sends the
same slices and none of them twice. Each is an order of its own: checked by our risk book, written ahead and sent at the
newest quote when it is due. What the book did not give of one is shared out among those that are left.
"""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from actors.orders.wishes import Wish
from omc.errors import Unresolved
from omc.market.quote import Quote
from omc.risk.verdict import DenialReason, Denied, denial
from omc.trading import outcome, slippage
from omc.trading.deployment import Deployment
from omc.trading.execution import Style
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.slicing import Plan, caught_up, plan, profile, slice_name

if TYPE_CHECKING:
    from actors.orders.sender import RiskPorts, Sender

_STANDSTILL = frozenset(
    {DenialReason.KILL_SWITCH, DenialReason.ADDING_HALTED, DenialReason.NOT_ACTIVE, DenialReason.UNRESOLVED}
)


class Slices:
    """For one sender."""

    def __init__(self, ports: "RiskPorts", sender: "Sender") -> None:
        self._ports = ports
        self._sender = sender

    async def planned(self, intent: OrderIntent, deployment: Deployment) -> Plan | None:
        """The slices of an intent that its deployment wants sliced."""
        execution, weights = deployment.execution, None
        if execution.slice_above_aud is None or intent.slice_of is not None or outcome.is_liquidation(intent):
            return None
        if execution.style is Style.VWAP and self._ports.volumes is not None:
            traded = await self._ports.volumes.recent(intent.coin, intent.quoted_at)
            weights = profile(traded, intent.quoted_at, execution.over_s, execution.slices)
        return plan(
            intent.quantity,
            intent.quote_price_aud,
            intent.quoted_at,
            execution,
            min_order_aud=self._ports.terms.min_order_aud,
            weights=weights,
        )

    async def carry_out(self, parent: Order, trader: Lease | None, wish: Wish) -> Order:
        """Send what is not sent yet, each when it is due, and end the order. Without a trader, or when it is to end, no
        slice is sent that was not before."""
        name, why = parent.intent.client_order_id, ""
        plan = parent.plan or Plan(Style.TWAP, (), parent.intent.quoted_at)
        sent = {each.intent.client_order_id: each for each in await self._ports.blotter.slices(name)}
        began, left = asyncio.get_running_loop().time(), parent.intent.quantity
        for number in range(len(plan.slices)):
            child_name = slice_name(name, number)
            child = sent.get(child_name)
            try:
                if child is None:
                    quantity = caught_up(plan.slices[number:], left)
                    intent, why = await self._due(parent, plan, number, quantity, began, trader, wish)
                    if intent is None:
                        break
                    child = await self._sender.carry(intent, trader)
                elif not child.status.final:
                    child = await self._carry_on(child, trader, wish)
            except Unresolved as held:
                child = await self._set_aside(child_name, str(held))
            left -= _spent(child)
            why = _stops(child)
            if why:
                break
        return await self._end(parent, why)

    async def _carry_on(self, child: Order, trader: Lease | None, wish: Wish) -> Order:
        """A slice that a death cut short. One that was not sent is, unless it is not wanted any more, or its quote is
        old."""
        name = child.intent.client_order_id
        if child.status is OrderStatus.INTENT:
            board = await self._ports.quotes.newest()
            why = wish.ends or ("" if trader else outcome.FORSAKEN)
            if why:
                self._sender.wishes.end(name, why)
            elif board and not outcome.is_fresh(child.intent, board.time):
                late = Denied(child.intent, DenialReason.TOO_LATE, "its turn was over before it was sent")
                return await self._sender.deny(child, late)
        return await self._sender.resume(name, trader)

    async def _set_aside(self, child_name: str, why: str) -> Order:
        """A slice that waits for a person; one that would have to wait for another order of its coin is not sent."""
        child = await self._ports.blotter.order(child_name)
        if child is None:
            raise Unresolved(why)
        if child.status is OrderStatus.INTENT:
            return await self._sender.deny(child, Denied(child.intent, DenialReason.UNRESOLVED, why))
        return child

    async def _due(
        self,
        parent: Order,
        plan: Plan,
        number: int,
        quantity: Decimal,
        began: float,
        trader: Lease | None,
        wish: Wish,
    ) -> tuple[OrderIntent | None, str]:
        """The slice of that number at the newest quote, once it is due; or why it is not sent."""
        part, loop = plan.slices[number], asyncio.get_running_loop()
        while True:
            why = wish.ends or await self._sender.idle(parent.intent)
            if why or trader is None:
                return None, why or outcome.FORSAKEN
            board = await self._ports.quotes.newest()
            quote = board.quotes.get(parent.intent.coin) if board else None
            wait_s = (part.at - parent.intent.quoted_at).total_seconds()
            due = board is not None and board.time >= part.at
            # The venue's clock may stand, or have jumped back: then ours tells.
            if due or loop.time() - began >= wait_s or await self._sender.stands():
                if board is not None and board.time > plan.until:
                    return None, outcome.TIME_OVER
                if board is not None and quote is not None:
                    intent = _slice(parent, number, quantity, quote)
                    return replace(intent, quoted_at=board.time, good_for_s=await self._good_for_s(parent, plan)), ""
                if loop.time() - began >= (plan.until - parent.intent.quoted_at).total_seconds():
                    return None, f"{outcome.TIME_OVER}, and {parent.intent.coin} is not quoted"
            await wish.rest(self._ports.cadence.pause_s(0))

    async def _good_for_s(self, parent: Order, plan: Plan) -> float:
        """A slice rests no longer than until the next is due."""
        every_s = (plan.until - plan.slices[-1].at).total_seconds()
        return min(parent.intent.good_for_s, every_s)

    async def _end(self, parent: Order, why: str) -> Order:
        """All of it that was to be sent has ended."""
        parts = await self._ports.blotter.slices(parent.intent.client_order_id)
        parent = replace(parent, fills=tuple(fill for part in parts for fill in part.fills))
        execution = (await self._ports.deployments.get(parent.intent.deployment_id)).execution
        if slippage.beyond(parent, execution.tolerance_bps):
            slipped = f"slipped {slippage.slippage_bps(parent)} bps, {execution.tolerance_bps:g} are tolerated"
            why = f"{why}; {slipped}" if why else slipped
        return await self._sender.settle(outcome.in_parts(parent, message=why or None))


def _slice(parent: Order, number: int, quantity: Decimal, quote: Quote) -> OrderIntent:
    of = parent.intent
    count = len(parent.plan.slices) if parent.plan else 1
    return replace(
        of,
        client_order_id=slice_name(of.client_order_id, number),
        quantity=quantity,
        quote_price_aud=quote.ask_aud if of.side is Side.BUY else quote.bid_aud,
        reason=f"slice {number + 1} of {count}: {of.reason}",
        slice_of=of.client_order_id,
    )


def _spent(child: Order) -> Decimal:
    """What of the whole has had its turn with that slice. What a thin book did not give of it, or we did not send, is
    left for the others; not so what somebody took back, or of which the venue said no."""
    match child.status:
        case OrderStatus.EXPIRED:
            left_over = True
        case OrderStatus.CANCELLED:
            left_over = child.message in (None, outcome.AT_ONCE)
        case OrderStatus.DENIED:
            left_over = denial(child).reason is not DenialReason.WITHDRAWN
        case _:
            left_over = False
    return child.filled_quantity if left_over else child.intent.quantity


def _stops(child: Order) -> str:
    """Why no slice is sent after this one; empty when the next has its turn."""
    if child.status is OrderStatus.UNRESOLVED:
        return f"a slice waits for a person: {child.message}"
    if child.status is OrderStatus.DENIED and denial(child).reason in _STANDSTILL:
        return child.message or child.status
    return ""
