"""Orders whose way was cut short, carried on until they are settled, whoever asks for them or nobody does.

What an earlier risk desk sent and did not settle is one of them; so is an order in whose middle a store failed. Its
trader may be gone, or its deployment paused: then nobody else would ever find out what became of it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omc.errors import NotFound, Unavailable, Unresolved
from omc.trading import outcome
from omc.trading.deployment import Deployment, DeploymentStatus, trader_name
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus

if TYPE_CHECKING:
    from actors.orders.sender import Office, RiskPorts, Sender

Beside = Callable[[Coroutine[Any, Any, None]], object]
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Case:
    """One order here: who sends for its account, and its coin."""

    sender: "Sender"
    coin: str
    sliced: bool
    """It is never at the venue itself."""


class Aftercare:
    """One for a risk desk. Nothing new is sent for a coin of an account while an order of it is here."""

    def __init__(self, ports: "RiskPorts", office: "Office", beside: Beside) -> None:
        """`beside` has something go on by itself."""
        self._ports = ports
        self._office = office
        self._beside = beside
        self._cases: dict[str, _Case] = {}

    def take(self, sender: "Sender", order: Order) -> None:
        """Look after an order from now on. A desk that is not in force leaves it to the one that is."""
        name = order.intent.client_order_id
        if name in self._cases or self._office.lease is None:
            return
        self._cases[name] = _Case(sender, order.intent.coin, order.status is OrderStatus.SLICED)
        self._beside(self._settle(sender, name))

    def has(self, client_order_id: str) -> bool:
        return client_order_id in self._cases

    def looks_after(self, sender: "Sender") -> bool:
        """Whether an order of that sender's is here."""
        return any(case.sender is sender for case in self._cases.values())

    def check_coin(self, sender: "Sender", intent: OrderIntent) -> None:
        """Unavailable while another order of that coin and account is here, and not known to work on the book."""
        for name, case in self._cases.items():
            if case.sender is not sender or case.coin != intent.coin or case.sliced:
                continue
            known = sender.under_way.get(name)
            works = known is not None and outcome.rests(known)
            if name not in (intent.client_order_id, intent.slice_of) and not works:
                raise Unavailable(f"{intent.coin} waits for order {name}, of which nobody knows yet what became of it")

    async def _settle(self, sender: "Sender", name: str) -> None:
        faults = 0
        try:
            while self._office.lease is not None:
                try:
                    if await self._carry_on(sender, name):
                        return
                except (NotFound, Unresolved) as why:
                    # Whoever says what became of it settles it.
                    _log.warning("an order is left as it is", extra={"order": name, "why": str(why)})
                    return
                except Exception:
                    _log.exception("an order cannot be settled yet", extra={"order": name})
                faults += 1
                await asyncio.sleep(self._ports.cadence.pause_s(faults))
        finally:
            del self._cases[name]

    async def _carry_on(self, sender: "Sender", name: str) -> bool:
        """To its end, if it was sent; True when it needs nobody here any more. One that was not sent is wanted again by
        its trader, or by nobody."""
        order = await self._ports.blotter.order(name)
        if order is None:
            return True
        self._cases[name].sliced = order.status is OrderStatus.SLICED
        deployment = await self._ports.deployments.get(order.intent.deployment_id)
        if order.status is OrderStatus.SLICED and (sender.carries(name) or await self._is_wanted(order, deployment)):
            return False
        if order.status is not OrderStatus.INTENT:
            # What is final by now, its sender must hear of.
            await sender.resume(name, await self._trader_of(order, deployment))
        return True

    async def _is_wanted(self, parent: Order, deployment: Deployment) -> bool:
        """Whether its trader will ask for an order in slices again: it does so for the bar that it is in."""
        if deployment.status is not DeploymentStatus.ACTIVE:
            return False
        bar = parent.intent.quoted_at
        board = await self._ports.quotes.newest()
        if parent.plan is not None and board is not None and board.time > parent.plan.until:
            return False
        memory = await self._ports.blotter.recall(deployment.id)
        over = memory.done_until is not None and memory.done_until >= bar
        return not over and (memory.rebalance is None or memory.rebalance.quoted_at <= bar)

    async def _trader_of(self, order: Order, deployment: Deployment) -> Lease | None:
        """The lease of whoever trades that deployment now: it would ask for the same order again. Without one, no
        slice is sent that was not before."""
        if outcome.is_liquidation(order.intent) or order.status is OrderStatus.SLICED:
            return None
        name = trader_name(deployment)
        return Lease(name, await self._ports.leases.current(name))
