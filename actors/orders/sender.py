"""One account at a venue, and the only one that sends to it: it approves an order, writes ahead that it is sent, sends
it, and finds out what became of one whose answer was lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from actors.limits.exposures import Exposures
from actors.office import RUNNING as RUNNING
from actors.office import Office as Office
from actors.office import RiskPorts as RiskPorts
from actors.orders.aftercare import Aftercare
from actors.orders.door import Door
from actors.orders.locks import Locks
from actors.orders.looking import Looking
from actors.orders.sending import Sending
from actors.orders.slices import Slices
from actors.orders.under_way import UnderWay
from actors.orders.wishes import Wishes
from actors.orders.working import Working
from omc.errors import Conflict, NotFound, StaleLease, Unavailable, Unresolved
from omc.risk.verdict import Approved, Denied, Verdict
from omc.trading import outcome
from omc.trading.blotter import TraderMemory
from omc.trading.deployment import Deployment, DeploymentStatus
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.reconciliation.closure import Closure
from omc.trading.venue import Finding


class Sender:
    """`lock` is held for each step of an order: while it is approved, written ahead, sent and settled, and for each
    look for it. Whoever holds it sees the account stand still, but for what works on the venue's book. Between two
    steps others have their turn; only a coin waits for its order whose fate is not known."""

    def __init__(
        self,
        ports: RiskPorts,
        office: Office,
        exposures: Exposures,
        aftercare: Aftercare,
        retire: Callable[[], None],
        known: Callable[[UUID], Deployment | None],
    ) -> None:
        self._ports = ports
        self.office = office
        self._aftercare = aftercare
        self._retire = retire
        self._known = known
        self._exposures = exposures
        self.door = Door(ports)
        self._orders, self._coins = Locks(), Locks()
        self.wishes = Wishes()
        self._looking = Looking(ports, self)
        self._working, self._slices = Working(ports, self), Slices(ports, self)
        self._sending = Sending(ports, self, exposures, self._slices)
        self._stands: bool | None = None
        self._moved = asyncio.Event()
        self._carried: dict[str, UUID] = {}
        self.lock = asyncio.Lock()
        self.under_way = UnderWay(ports.blotter)
        self.closed = Closure()
        """What is not sent for this account, as reconciliation found it."""
        self.claimed: frozenset[str] = frozenset()
        """Ids of fills and orders at the venue that no order under way can be."""
        self.doubted = asyncio.Event()
        """Set when the outcome of an order was in doubt."""

    @property
    def at_rest(self) -> bool:
        """Whether nothing of the account is under way or asked for."""
        return self.door.at_rest and not (self._carried or self.under_way or self.lock.locked())

    # Orders, from wherever they stand to their end

    async def carry(self, intent: OrderIntent, trader: Lease | None, memory: TraderMemory | None = None) -> Order:
        """Carry an intent through to its end, once, however often it is asked for. StaleLease when `trader` was
        replaced, Overtaken when `memory`, its own, has not heard of a notice; Unresolved when a person must say first
        what became of an order."""
        async with self._orders.held(intent.client_order_id):
            with self._exposures.newest.listening(intent.client_order_id):
                return await self._finish(await self._ports.blotter.begin(intent, trader, memory), trader)

    async def resume(self, client_order_id: str, trader: Lease | None) -> Order:
        """Carry on an order that is stored."""
        async with self._orders.held(client_order_id):
            return await self._finish(await self._stored(client_order_id), trader)

    async def end(self, client_order_id: str, why: str) -> Order:
        """Bring an order to its end now: what rests is cancelled, and nothing more of it is sent."""
        self.wishes.end(client_order_id, why)
        async with self._orders.held(client_order_id):
            # Whoever carried it until now may have failed, and the wish with it.
            self.wishes.end(client_order_id, why)
            return await self._finish(await self._stored(client_order_id), None)

    async def _stored(self, client_order_id: str) -> Order:
        order = await self._ports.blotter.order(client_order_id)
        if order is None:
            raise NotFound(f"there is no order {client_order_id}")
        return order

    async def move(self, client_order_id: str, price_aud: Decimal) -> None:
        """Move the limit of an order that rests on the book. Conflict when it does not, or our risk book says no;
        Unavailable when nobody knows yet whether it does, or whether it was moved."""
        known = self.under_way.get(client_order_id)
        if client_order_id not in self._carried or known is None or not outcome.rests(known):
            held = known is not None and known.status is OrderStatus.UNRESOLVED
            if (known is not None or self._aftercare.has(client_order_id)) and not held:
                raise Unavailable(f"order {client_order_id} is looked for: ask again")
            raise Conflict(f"order {client_order_id} does not rest on the book")
        wish = self.wishes.of(client_order_id)
        if wish.ends or known.status is OrderStatus.CANCELLING:
            raise Conflict(f"order {client_order_id} is being cancelled: {wish.ends or known.message}")
        await wish.move(price_aud)

    def carries(self, client_order_id: str) -> bool:
        """Whether somebody carries that order now."""
        return client_order_id in self._carried

    async def deployment(self, intent: OrderIntent) -> Deployment:
        """Whose order it is, for what of that never changes: its account, and how it wants its orders worked."""
        return self._known(intent.deployment_id) or await self._ports.deployments.get(intent.deployment_id)

    def halted(self, intent: OrderIntent) -> str:
        """What stops such an order, as far as this desk knows without asking anybody; empty when nothing does."""
        adding = intent.side is Side.BUY
        halt = self._exposures.halts.halted(intent.user_id, intent.deployment_id, adding=adding)
        return str(halt) if halt else ""

    async def idle(self, intent: OrderIntent) -> str:
        """Why nothing of a deployment's own is to work any more; empty while it trades."""
        status = (await self._ports.deployments.get(intent.deployment_id)).status
        return "" if status is DeploymentStatus.ACTIVE else f"the deployment is {status}"

    def end_all(self, deployment_id: UUID, why: str, *, sales_too: bool = True) -> int:
        """Ask that everything under way of a deployment ends, without waiting for it; how many orders that is. Sales
        after an emergency stop go on unless they are meant, too."""
        names = [name for name, owner in self._carried.items() if owner == deployment_id]
        names = [name for name in names if sales_too or not name.endswith(f":{outcome.LIQUIDATION}")]
        for name in names:
            self.wishes.of(name).end(why)
        return len(names)

    async def quiet(self, deployment_id: UUID) -> None:
        """Return when no order of a deployment is under way here."""
        while deployment_id in self._carried.values():
            await self._moved.wait()

    async def settle(self, order: Order) -> Order:
        """Store what an order has become."""
        blotter = self._ports.blotter
        return self.under_way.know(await self._as_holder(lambda lease: blotter.settle(order, lease)))

    async def deny(self, order: Order, denied: Denied) -> Order:
        """Store our own no."""
        blotter = self._ports.blotter
        return self.under_way.know(await self._as_holder(lambda lease: blotter.deny(order, denied, lease)))

    async def _as_holder(self, store: Callable[[Lease | None], Awaitable[Order]]) -> Order:
        """Unavailable, and nothing is stored, when another risk desk has taken over: it sees for itself."""
        lease = self.office.taken
        try:
            return await store(lease)
        except StaleLease:
            if lease is not None:
                await self.check_own(lease)
            raise

    async def _finish(self, order: Order, trader: Lease | None) -> Order:
        """The order's own lock is held."""
        self.door.check_here()
        name, intent = order.intent.client_order_id, order.intent
        # One that is final was perhaps settled elsewhere, or by an answer that was lost on its way here.
        self.under_way.know(order)
        if order.status.final:
            self.wishes.forget(name, Conflict(f"order {name} has ended"))
            return order
        self._carried[name] = intent.deployment_id
        wish = self.wishes.of(name, intent.slice_of)
        try:
            while not order.status.final:
                if order.status is OrderStatus.SLICED:
                    order = await self._slices.carry_out(order, trader, wish)
                elif outcome.rests(order):
                    order = await self._working.work(order, trader, wish)
                else:
                    async with self._coins.held(intent.coin):
                        order = await self._until_known(order, trader)
        except (Exception, asyncio.CancelledError):
            # It may have been sent, whatever is stored of that, and whoever asked for it may not ask again.
            self._aftercare.take(self, order)
            raise
        else:
            return order
        finally:
            self._exposures.over(name)
            del self._carried[name]
            ended = Conflict(f"order {name} has ended: it is {order.status}")
            self.wishes.forget(name, ended if order.status.final else Unavailable(f"order {name} stands still"))
            self._moved.set()
            self._moved = asyncio.Event()

    async def _until_known(self, order: Order, trader: Lease | None) -> Order:
        """Send it, and look for it until it is known to rest on the book, or to have ended. The coin's lock is held."""
        looks = 0
        while not order.status.final and order.status is not OrderStatus.SLICED and not outcome.rests(order):
            if order.status is OrderStatus.UNRESOLVED:
                raise Unresolved(f"order {order.intent.client_order_id} is held: {order.message}")
            if order.status is OrderStatus.INTENT:
                if not self.wishes.of(order.intent.client_order_id).ends:
                    await self.under_way.check_coin(order.intent)
                    self._aftercare.check_coin(self, order.intent)
                async with self.lock:
                    order = await self._sending.begin(order, trader)
                continue
            if looks:
                await asyncio.sleep(self._ports.cadence.pause_s(looks))
            looks += 1
            async with self.lock:
                ends = self.wishes.of(order.intent.client_order_id).ends
                order, again = await self._looking.look(order, looks, ends)
                if again:
                    order = await self._sending.again(order, trader)
            if order.status not in (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN):
                self.doubted.set()
        return order

    # What its steps are made of

    def ticket(self, approved: Approved, lease: Lease, *, liquidating: bool = False) -> Approved:
        """What the venue takes: the gate is looked at again right before the bytes leave."""
        gate = self._exposures.halts.gate(approved.intent, liquidating=liquidating)
        return replace(approved, sender=lease, gate=gate)

    async def assess(self, intent: OrderIntent, deployment: Deployment, *, liquidating: bool) -> Verdict:
        """Our risk book's answer. The account's lock is held."""
        verdict = await self._exposures.assess(intent, deployment, liquidating)
        if isinstance(verdict, Denied) and (heard := await self.under_way.hear()):
            for each in heard:
                if each.status.final:
                    self._exposures.over(each.intent.client_order_id)
            return await self._exposures.assess(intent, deployment, liquidating)
        return verdict

    def lost(self, order: Order, *, sent: bool) -> None:
        """A sending of it ended without an answer; `sent` is False where nothing has left here."""
        self._looking.silence.begin(order.intent.client_order_id, sent=sent)

    async def find(self, order: Order) -> Finding:
        """What the venue shows of an order. The account's lock is held."""
        return await self._looking.find(order)

    async def stands(self) -> bool:
        """Whether the venue's clock stands while a trader trades, as that of a tape in lock-step does: then there is
        nothing to wait for."""
        if self._stands is None:
            tape = self._ports.tape
            self._stands = tape is not None and (await tape.clock()).lockstep
        return self._stands

    async def check_own(self, lease: Lease) -> None:
        """Another risk desk runs: this one is what a dead node left behind, and must not send another order."""
        if await self._ports.leases.current(lease.name) != lease.epoch:
            self.office.state, self.office.lease = "stopped", None
            self._retire()
            raise Unavailable("this risk desk was replaced")
