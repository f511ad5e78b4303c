"""The risk desk: the one place that approves orders and sends them, and where an emergency stop takes hold.

A crash anywhere is recovered by the code that runs anyway: an order that was sent and is not final is looked for at the
venue and settled, before anything else of its coin is taken on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import ray

from actors import address
from actors.halts.forcing import Forcing
from actors.halts.halting import Halting
from actors.orders.gathering import Gathering
from actors.orders.sender import RUNNING, Office, RiskPorts, Sender
from actors.orders.senders import Senders
from actors.reconciling.reconciler import Reconciler
from omc.access.credential import Credential, Keyhole
from omc.errors import NotFound, OmcError, Unavailable, Unresolved
from omc.market.terms import OrderKind
from omc.risk.kill_switch import Halt, HaltLevel
from omc.risk.verdict import DenialReason, Denied, denial
from omc.trading.blotter import TraderMemory
from omc.trading.deployment import Deployment
from omc.trading.execution import Routing
from omc.trading.floor import Choice, HaltReport, Reconciliation
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.routing import route

_log = logging.getLogger(__name__)


class RiskActor:
    """A RiskDesk. Keys and secrets live in the venues that it opened, and nowhere else."""

    def __init__(self, ports: RiskPorts, name: str = address.RISK, retire: Callable[[], None] = address.die) -> None:
        if ports.logs:
            ports.logs.install()
        self._ports = ports
        self._name = name
        self._office = Office()
        self._senders = Senders(ports, self._office, self._beside, retire)
        self._halting = Halting(ports, self._office, self._senders)
        self._forcing = Forcing(ports, self._office, self._senders, self._beside)
        self._settling: set[asyncio.Task[None]] = self._halting.begin()
        self._reconciler = Reconciler(ports, self._office, self._senders, self._beside)
        self._beside(self._reconciler.begin())
        self._gathering: asyncio.Task[None] | None = None
        if ports.volumes is not None and ports.trades is not None:
            coins = sorted(ports.terms.market_coins)
            self._gathering = self._beside(Gathering(ports.trades, ports.volumes, coins, ports.volumes_every_s).run())
        self._task = address.background(self._recover(), name)

    def __repr__(self) -> str:
        return self._name

    @ray.method(concurrency_group="control")
    def ping(self) -> str:
        return f"{self._name} {self._office.state}"

    async def submit(self, intent: OrderIntent, trader: Lease, memory: TraderMemory | None = None) -> Order | Denied:
        self._office.takes_on()
        # What is asked of it here never changes. The rest is read for the verdict.
        deployment = self._senders.known(intent.deployment_id)
        deployment = deployment or await self._ports.deployments.get(intent.deployment_id)
        await self._reconciler.ready(deployment)
        try:
            worked = await self._worked(intent, deployment)
            order = await self._senders.of(deployment).carry(worked, trader, memory)
        except Unresolved as held:
            order = await self._set_aside(intent, deployment, str(held))
        self._reconciler.traded(deployment)
        return denial(order) if order.status is OrderStatus.DENIED else order

    async def _set_aside(self, intent: OrderIntent, deployment: Deployment, why: str) -> Order:
        """An order that waits for a person keeps its trader from nothing else; one that would have to wait for it is
        not sent at all."""
        order = await self._stored(intent.client_order_id)
        if order.status is OrderStatus.INTENT:
            return await self._senders.of(deployment).deny(order, Denied(order.intent, DenialReason.UNRESOLVED, why))
        return order

    async def _worked(self, intent: OrderIntent, deployment: Deployment) -> OrderIntent:
        """An intent as its deployment wants its orders worked."""
        execution = deployment.execution
        if execution.routing is Routing.COST:
            board = await self._ports.quotes.newest()
            quote = board.quotes.get(intent.coin) if board else None
            if quote is not None:
                terms, book, instant = self._ports.terms, None, None
                if intent.coin in terms.market_coins:
                    book, instant = await self._senders.of(deployment).door.ways(intent, deployment)
                way = route(intent.side, intent.quantity, quote, terms, book=book, instant_price_aud=instant)
                intent = replace(intent, kind=way.kind, reason=f"{intent.reason}; {way.reason}")
        if execution.good_for_s and intent.kind is OrderKind.MARKET:
            intent = replace(intent, good_for_s=execution.good_for_s)
        return intent

    async def cancel(self, client_order_id: str, why: str) -> Order:
        """End an order early, with the fills that it has."""
        sender = await self._sender_of(client_order_id)
        return await sender.end(client_order_id, why)

    async def replace(self, client_order_id: str, price_aud: Decimal) -> Order:
        """Move the limit of an order that rests on the book."""
        sender = await self._sender_of(client_order_id)
        await sender.move(client_order_id, price_aud)
        return await self._stored(client_order_id)

    async def _sender_of(self, client_order_id: str) -> Sender:
        self._office.in_force()
        order = await self._stored(client_order_id)
        return self._senders.of(await self._ports.deployments.get(order.intent.deployment_id))

    async def _stored(self, client_order_id: str) -> Order:
        order = await self._ports.blotter.order(client_order_id)
        if order is None:
            raise NotFound(f"there is no order {client_order_id}")
        return order

    # A busy actor answers it, too: it has a thread of its own.
    @ray.method(concurrency_group="control")
    def trip(self, halt: Halt) -> None:
        self._halting.heard(halt)

    async def halt(
        self,
        user_id: UUID,
        liquidate: bool,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
    ) -> HaltReport:
        return await self._halting.carry_out(user_id, liquidate, deployment_id, level)

    async def release(self, user_id: UUID | None, deployment_id: UUID | None = None) -> None:
        await self._halting.release(user_id, deployment_id)

    async def force_exit(self, deployment_id: UUID, coins: Sequence[str], key: str | None = None) -> HaltReport:
        return await self._forcing.force_exit(await self._ports.deployments.get(deployment_id), coins, key)

    async def reconcile(self, deployment_id: UUID) -> Reconciliation:
        self._office.in_force()
        deployment = await self._ports.deployments.get(deployment_id)
        return await self._reconciler.compare(deployment)

    async def resolve(self, client_order_id: str, choice: Choice, by: str) -> Order:
        self._office.in_force()
        order = await self._stored(client_order_id)
        deployment = await self._ports.deployments.get(order.intent.deployment_id)
        settled = await self._reconciler.resolve(order, deployment, choice, by)
        if not settled.status.final:
            self._senders.aftercare.take(self._senders.of(deployment), settled)
        return settled

    async def accept(self, deployment_id: UUID, by: str, once: UUID | None = None) -> Reconciliation:
        self._office.in_force()
        return await self._reconciler.accept(await self._ports.deployments.get(deployment_id), by, once)

    async def balances(self, deployment: Deployment) -> Mapping[str, Decimal]:
        self._office.in_force()
        async with self._answering(), self._senders.of(deployment).door.sending(deployment) as venue:
            return await venue.balances()

    async def examine(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        async with self._answering():
            return await self._ports.examiner.examine(user_id, keyhole)

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Unavailable when a venue does not answer in time, so that whoever comes next has a turn."""
        try:
            async with asyncio.timeout(self._ports.call_s):
                yield
        except TimeoutError:
            raise Unavailable(f"the venue shows nothing within {self._ports.call_s:g} s") from None

    async def stop(self) -> None:
        """Take on nothing more, and let what is under way come to its end."""
        self._office.state, self._office.lease = "stopped", None
        self._task.cancel()
        if self._gathering is not None:
            self._gathering.cancel()
        self._reconciler.stop()
        await self._senders.idle()

    # Recovery

    def _beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Something that goes on by itself, for as long as this desk does."""
        task = asyncio.create_task(work)
        self._settling.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._settling.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _log.error("something beside the desk's calls has ended", exc_info=fault)

    async def _recover(self) -> None:
        faults = 0
        while True:
            try:
                lease = await self._ports.leases.take(self._name, address.holder())
                await self._halting.recover()
                left = [(await self._deployment_of(order), order) for order in await self._left_behind()]
                break
            except Exception:
                _log.exception("risk desk cannot recover yet")
                faults += 1
                await asyncio.sleep(self._ports.cadence.pause_s(faults))
        self._office.lease, self._office.taken, self._office.state = lease, lease, RUNNING
        for deployment, order in left:
            self._senders.aftercare.take(self._senders.of(deployment), order)
        self._beside(self._go_on())

    async def _go_on(self) -> None:
        """What an earlier risk desk had begun to sell at its owner's wish."""
        faults = 0
        while self._office.lease is not None:
            try:
                await self._forcing.resume()
            except OmcError as error:
                _log.info("forced exits are not known yet", extra={"error": str(error)})
                faults += 1
                await asyncio.sleep(self._ports.cadence.pause_s(faults))
            else:
                return

    async def _left_behind(self) -> list[Order]:
        """What an earlier risk desk sent, or sent in slices, and did not settle, oldest first."""
        return [*await self._ports.blotter.unsettled(), *await self._ports.blotter.sliced()]

    async def _deployment_of(self, order: Order) -> Deployment:
        return await self._ports.deployments.get(order.intent.deployment_id)
