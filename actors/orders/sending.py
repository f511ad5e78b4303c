"""One order on its way to the venue: approved, written ahead that it is sent, sent, and settled; or our no."""

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from actors.limits.exposures import Exposures
from actors.orders.slices import Slices
from omc.errors import (
    Conflict,
    Halted,
    IllegalTransition,
    KeyRefused,
    OutcomeUnknown,
    Overtaken,
    StaleLease,
    Unavailable,
    VenueRefused,
)
from omc.risk.kill_switch import denied_by
from omc.risk.verdict import Approved, DenialReason, Denied, Verdict
from omc.trading import outcome
from omc.trading.deployment import Deployment
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.refusal import Refusal
from omc.trading.venue import Placement, Rejected, Venue

if TYPE_CHECKING:
    from actors.office import RiskPorts
    from actors.orders.sender import Sender


class Sending:
    """For one sender, whose lock is held."""

    def __init__(self, ports: "RiskPorts", sender: "Sender", exposures: Exposures, slices: Slices) -> None:
        self._ports = ports
        self._sender = sender
        self._exposures = exposures
        self._slices = slices

    async def begin(self, order: Order, trader: Lease | None) -> Order:
        """What is to become of an intent: our no, slices, or an order that is sent."""
        wish = self._sender.wishes.of(order.intent.client_order_id)
        if wish.ends:
            return await self._refuse(order, Denied(order.intent, DenialReason.WITHDRAWN, wish.ends))
        deployment = await self._sender.deployment(order.intent)
        verdict = await self._verdict(order.intent, deployment, trader)
        if isinstance(verdict, Denied):
            return await self._refuse(order, verdict)
        if trader is not None:
            plan = await self._slices.planned(order.intent, deployment)
            if plan is not None:
                # Nothing of it is on its way but its slices, each with a promise of its own.
                self._exposures.over(order.intent.client_order_id)
                sliced = replace(order, plan=plan).become(OrderStatus.SLICED, message=plan.note or None)
                return await self._sender.settle(sliced)
        return await self._send(order, deployment, verdict, trader)

    async def _send(self, order: Order, deployment: Deployment, verdict: Approved, trader: Lease | None) -> Order:
        """Write ahead that an order is sent, and send it."""
        ports, lease = self._ports, self._sender.office.in_force()
        async with self._sender.door.sending(deployment) as venue:
            try:
                order = self._sender.under_way.know(await ports.blotter.submitting(order, trader, lease))
            except Halted as no:
                return await self._refuse(order, Denied(order.intent, denied_by(no), str(no)))
            except StaleLease:
                await self._sender.check_own(lease)
                raise
            except IllegalTransition:
                raise
            except Overtaken as no:
                return await self._refuse(order, Denied(order.intent, DenialReason.FORCED_OUT, str(no)))
            except Conflict as no:
                return await self._refuse(order, Denied(order.intent, DenialReason.NOT_ACTIVE, str(no)))
            try:
                ticket = self._sender.ticket(verdict, lease, liquidating=outcome.is_liquidation(order.intent))
                placement = await _place(venue, ticket, ports.call_s)
            except Halted as no:
                # The switch was tripped after it was written ahead, and nothing was sent.
                return await self._refuse(order, Denied(order.intent, denied_by(no), str(no)))
            except StaleLease:
                await self._sender.check_own(lease)
                raise
        if isinstance(placement, Lost):
            self._sender.lost(order, sent=placement.sent)
            return await self._sender.settle(order.become(OrderStatus.UNKNOWN, message=placement.message))
        order = await self._sender.settle(outcome.placed(order, placement))
        if isinstance(placement, Rejected):
            await self._refused(order, placement, trader)
        return order

    async def _refused(self, order: Order, no: Rejected, trader: Lease | None) -> None:
        """Let the deployment say what the venue does not let it do. A key that is not taken is nothing to go on with:
        Halted."""
        intent, message = order.intent, no.message
        await self._ports.deployments.report_error(intent.deployment_id, f"{intent.coin}: {no.refusal}: {message}")
        if no.refusal is Refusal.KEY and trader is not None:
            raise Halted(f"{no.refusal}: {message}")

    async def _refuse(self, order: Order, denied: Denied) -> Order:
        """Our no. An order that was sent once, in vain, has failed; one that never was is denied."""
        if order.status is OrderStatus.INTENT:
            return await self._sender.deny(order, denied)
        message = f"it never arrived, and may not be sent again: {denied.message}"
        return await self._sender.settle(order.become(OrderStatus.REJECTED, message=message))

    async def again(self, order: Order, trader: Lease | None) -> Order:
        """Send an order that never arrived: whatever holds for a new one holds for it."""
        deployment = await self._sender.deployment(order.intent)
        verdict = await self._verdict(order.intent, deployment, trader)
        if isinstance(verdict, Denied):
            return await self._refuse(order, verdict)
        return await self._send(order, deployment, verdict, trader)

    async def _verdict(self, intent: OrderIntent, deployment: Deployment, trader: Lease | None) -> Verdict:
        """Only the house's own sale is sent though nobody trades for it, and though its account is closed."""
        liquidating = outcome.is_liquidation(intent)
        if trader is None and not liquidating:
            return Denied(intent, DenialReason.WITHDRAWN, outcome.FORSAKEN)
        if not liquidating and (denied := self._sender.closed.denied(intent)) is not None:
            return denied
        return await self._sender.assess(intent, deployment, liquidating=liquidating)


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody knows what became of a sending, and why; `sent` is False where nothing has left here."""

    message: str
    sent: bool = True


async def _place(venue: Venue, approved: Approved, call_s: float) -> Placement | Lost:
    """What the venue answered, or why nobody knows."""
    try:
        async with asyncio.timeout(call_s):
            return await venue.place(approved)
    except VenueRefused as no:
        return Rejected(str(no), key=isinstance(no, KeyRefused))
    except OutcomeUnknown as unsure:
        return Lost(str(unsure))
    except Unavailable as away:
        return Lost(str(away), sent=False)
    except TimeoutError:
        return Lost(f"the venue did not answer within {call_s:g} s")
