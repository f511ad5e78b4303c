"""Orders, fills, accounts and the journal, written before the next step is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, Self, TypeVar
from uuid import UUID, uuid5

from omc.errors import Conflict, Halted, NotFound, StaleLease
from omc.market.money import ZERO
from omc.portfolio.account import Account
from omc.portfolio.position import Position
from omc.risk.kill_switch import KillSwitch
from omc.risk.verdict import Denied
from omc.trading.deployment import DeploymentStatus, MemoryDeploymentStore
from omc.trading.fill import Fill, Side
from omc.trading.journal import JournalEntry as JournalEntry
from omc.trading.lease import Lease, LeaseStore
from omc.trading.order import Order, OrderIntent, OrderStatus

_Known = TypeVar("_Known")


@dataclass(frozen=True, slots=True)
class Rebalance:
    """A rebalancing under way: what it began with, so that whoever restarts in its middle sizes the rest alike."""

    quoted_at: datetime
    equity_aud: float
    targets: tuple[float | None, ...]
    """A weight for each of the deployment's coins; None leaves it as it is."""


@dataclass(frozen=True, slots=True)
class TraderMemory:
    """All that a trader must know again after a restart, besides its account and its orders."""

    done_until: datetime | None = None
    """The last quotes that it finished with."""
    decided_at: datetime | None = None
    targets: tuple[float | None, ...] | None = None
    """The weights decided at `decided_at`, one for each coin; None for one that is left as it is."""
    stopped: tuple[bool, ...] | None = None
    """Coins that an exit closed, out until the algorithm lets go of them."""
    rebalance: Rebalance | None = None
    ages: tuple[int | None, ...] | None = None
    """How many bars ago each coin was opened; None for one that is not held."""
    trails: tuple[float | None, ...] | None = None
    """Where each coin's trailing stop stands; None for none."""
    openings: tuple[float | None, ...] | None = None
    """The price that each coin was opened at; None for one that is not held, or as the books say."""
    leaving: tuple[str | None, ...] | None = None
    """Why an exit closes a coin that it could sell in part only, or not at all; None for a coin that stays."""

    def as_held(self, held: Sequence[float]) -> Self:
        """With an age for whatever is `held` before a bar's first order and for nothing else: others may have sold, or
        bought before ages were remembered."""
        ages = self.ages or (None,) * len(held)
        if [age is not None for age in ages] == [quantity > 0.0 for quantity in held]:
            return self
        return replace(
            self,
            ages=tuple((age or 0) if quantity else None for quantity, age in zip(held, ages, strict=True)),
            trails=_of_held(self.trails, held),
            openings=_of_held(self.openings, held),
            leaving=_of_held(self.leaving, held),
        )


def _of_held(known: tuple[_Known | None, ...] | None, held: Sequence[float]) -> tuple[_Known | None, ...]:
    """What is `known` of each coin that is held."""
    each = known or (None,) * len(held)
    return tuple(value if quantity else None for quantity, value in zip(held, each, strict=True))


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a deployment wants what it wants."""

    decided_at: datetime
    targets: Mapping[str, float | None]
    why: Mapping[str, str]
    order_ms: tuple[float, ...] = ()
    """How long each order sent on this bar took, from its quotes' arrival to its end: journaled, because whoever
    measured it may not live to tell."""
    printed: str = ""
    """The last of what the algorithm has printed since the decision before."""


@dataclass(frozen=True, slots=True)
class Trade:
    """A fill as it is shown to a person, with the order that it belongs to."""

    id: UUID
    deployment_id: UUID
    client_order_id: str
    venue_order_id: str | None
    fill: Fill


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as it is shown to a person."""

    id: UUID
    order: Order
    created_at: datetime
    updated_at: datetime


UNSETTLED = frozenset({OrderStatus.SUBMITTED, OrderStatus.UNKNOWN, OrderStatus.ACCEPTED, OrderStatus.PARTIAL})
"""Sent, and not final: what became of such an order is not known yet."""


class Blotter(Protocol):
    """Every method is one transaction: when it returns, it is durable; when it raises, nothing of it happened."""

    async def begin(self, intent: OrderIntent) -> Order:
        """Journal an intent. An intent that is known already is returned as the order it became."""
        ...

    async def deny(self, order: Order, denied: Denied) -> Order:
        """Store and journal our own no, as `denied.of(order)`."""
        ...

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        """Write ahead that the order is about to be sent: INTENT or UNKNOWN -> SUBMITTED.

        StaleLease when either epoch is not the one in force, Halted when the kill switch is on, Conflict when the
        deployment is not active: checked in the same transaction, so that nothing slips in between.

        Without a trader it is the risk desk's own sale, made to get out after an emergency stop: the risk lease is
        checked, the kill switch and the deployment's status are not; a buy without a trader is a Conflict.
        """
        ...

    async def settle(self, order: Order) -> Order:
        """Store an order's new status and the fills that it has and the store has not: the fills, the positions,
        the cash and the journal move together, and no fill is ever counted twice."""
        ...

    async def order(self, client_order_id: str) -> Order | None: ...

    async def unsettled(self) -> list[Order]:
        """Orders that were sent and are not final: SUBMITTED, UNKNOWN, ACCEPTED, PARTIAL; oldest first."""
        ...

    async def fill_ids(self, deployment_id: UUID, since: datetime) -> frozenset[str]:
        """Ids of the fills counted for a deployment since `since`."""
        ...

    async def account(self, deployment_id: UUID) -> Account: ...

    async def recall(self, deployment_id: UUID) -> TraderMemory: ...

    async def remember(self, deployment_id: UUID, memory: TraderMemory, decision: Decision | None = None) -> None:
        """Store a trader's memory, count an execution and stamp the heartbeat; journal the decision when given."""
        ...

    async def orders(
        self, user_id: UUID, deployment_id: UUID | None, offset: int, limit: int
    ) -> tuple[list[OrderRow], int]:
        """Newest first, with the total."""
        ...

    async def trades(
        self,
        user_id: UUID,
        deployment_id: UUID | None,
        offset: int,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[list[Trade], int]:
        """Newest first, with the total; `until` exclusive."""
        ...

    async def journal(
        self, user_id: UUID, deployment_id: UUID | None, kinds: Sequence[str], offset: int, limit: int
    ) -> tuple[list[JournalEntry], int]:
        """Newest first, with the total; no kinds means all."""
        ...

    async def realized_since(self, deployment_id: UUID, since: datetime) -> Decimal:
        """Realized P&L less fees of the fills executed since `since`."""
        ...


@dataclass(slots=True)
class MemoryBlotter:
    """A Blotter that lives and dies with the process. Nothing in it awaits between looking and changing, so each
    method is the one transaction that it promises."""

    deployments: MemoryDeploymentStore
    leases: LeaseStore
    kill_switch: KillSwitch
    _rows: dict[str, OrderRow] = field(default_factory=dict)
    _accounts: dict[UUID, Account] = field(default_factory=dict)
    _memories: dict[UUID, TraderMemory] = field(default_factory=dict)

    async def begin(self, intent: OrderIntent) -> Order:
        known = self._rows.get(intent.client_order_id)
        if known is not None:
            return known.order
        deployment = await self.deployments.get(intent.deployment_id)
        if deployment.user_id != intent.user_id:
            raise NotFound(f"there is no deployment {intent.deployment_id}")
        return self._store(Order(intent))

    async def deny(self, order: Order, denied: Denied) -> Order:
        return self._store(denied.of(self._stored(order)), reason=denied.reason.value)

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        intent = order.intent
        for lease in (trader, risk):
            if lease is not None and await self.leases.current(lease.name) != lease.epoch:
                raise StaleLease(f"the lease {lease.name} of epoch {lease.epoch} was taken by another")
        if trader is None and intent.side is not Side.SELL:
            raise Conflict(f"{intent.client_order_id}: only a sale needs no trader")
        if trader is not None:
            halt = await self.kill_switch.halted(intent.user_id)
            if halt is not None:
                raise Halted(f"trading is halted since {halt.since.isoformat()}: {halt.reason}")
            status = (await self.deployments.get(intent.deployment_id)).status
            if status is not DeploymentStatus.ACTIVE:
                raise Conflict(f"the deployment is {status}")
        return self._store(self._stored(order).become(OrderStatus.SUBMITTED))

    async def settle(self, order: Order) -> Order:
        stored = self._stored(order)
        if order.status is not stored.status:
            stored.become(order.status)
        counted = {fill.fill_id for row in self._rows_of(order.intent.deployment_id) for fill in row.order.fills}
        fresh = tuple(fill for fill in order.fills if fill.fill_id not in counted)
        account = await self.account(order.intent.deployment_id)
        for fill in fresh:
            account = account.apply(fill, order.intent.quote_price_aud)
        self._accounts[order.intent.deployment_id] = account
        return self._store(replace(order, fills=stored.fills + fresh), fills=[asdict(fill) for fill in fresh])

    async def order(self, client_order_id: str) -> Order | None:
        row = self._rows.get(client_order_id)
        return row.order if row else None

    async def unsettled(self) -> list[Order]:
        return [row.order for row in self._rows.values() if row.order.status in UNSETTLED]

    async def fill_ids(self, deployment_id: UUID, since: datetime) -> frozenset[str]:
        return frozenset(
            fill.fill_id
            for row in self._rows_of(deployment_id)
            for fill in row.order.fills
            if fill.executed_at >= since
        )

    async def account(self, deployment_id: UUID) -> Account:
        if deployment_id not in self._accounts:
            cash_aud = (await self.deployments.get(deployment_id)).cash_aud
            self._accounts[deployment_id] = Account.opened_with(cash_aud)
        return self._accounts[deployment_id]

    async def recall(self, deployment_id: UUID) -> TraderMemory:
        return self._memories.get(deployment_id, TraderMemory())

    async def remember(self, deployment_id: UUID, memory: TraderMemory, decision: Decision | None = None) -> None:
        owner = (await self.deployments.get(deployment_id)).user_id
        self._memories[deployment_id] = memory
        self.deployments.beat(deployment_id, signal=decision is not None)
        if memory.rebalance is not None:
            self._write("rebalance", owner, deployment_id, asdict(memory.rebalance))
        if decision is not None:
            self._write("decision", owner, deployment_id, asdict(decision))

    async def orders(
        self, user_id: UUID, deployment_id: UUID | None, offset: int, limit: int
    ) -> tuple[list[OrderRow], int]:
        found = [row for row in reversed(self._rows.values()) if _is_of(row.order, user_id, deployment_id)]
        return found[offset : offset + limit], len(found)

    async def trades(
        self,
        user_id: UUID,
        deployment_id: UUID | None,
        offset: int,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[list[Trade], int]:
        found = [
            _trade(row.order, fill)
            for row in reversed(self._rows.values())
            if _is_of(row.order, user_id, deployment_id)
            for fill in reversed(row.order.fills)
            if (since is None or fill.executed_at >= since) and (until is None or fill.executed_at < until)
        ]
        found.sort(key=lambda trade: trade.fill.executed_at, reverse=True)
        return found[offset : offset + limit], len(found)

    async def journal(
        self, user_id: UUID, deployment_id: UUID | None, kinds: Sequence[str], offset: int, limit: int
    ) -> tuple[list[JournalEntry], int]:
        return self.deployments.journal.page(user_id, deployment_id, kinds, offset, limit)

    async def realized_since(self, deployment_id: UUID, since: datetime) -> Decimal:
        positions: dict[str, Position] = {}
        earned = ZERO
        for row in self._rows_of(deployment_id):
            for fill in row.order.fills:
                before = positions.get(fill.coin, Position(fill.coin))
                after = positions[fill.coin] = before.apply(fill, fill.price_aud)
                if fill.executed_at >= since:
                    earned += after.realized_aud - before.realized_aud - fill.fee_aud
        return earned

    def _rows_of(self, deployment_id: UUID) -> list[OrderRow]:
        return [row for row in self._rows.values() if row.order.intent.deployment_id == deployment_id]

    def _stored(self, order: Order) -> Order:
        row = self._rows.get(order.intent.client_order_id)
        if row is None:
            raise NotFound(f"there is no order {order.intent.client_order_id}")
        return row.order

    def _store(self, order: Order, **data: Any) -> Order:
        intent, now = order.intent, self.deployments.clock.now()
        key = intent.client_order_id
        known = self._rows.get(key)
        row_id, created_at = (known.id, known.created_at) if known else (uuid5(intent.deployment_id, key), now)
        self._rows[key] = OrderRow(row_id, order, created_at, now)
        data = {"client_order_id": key, "coin": intent.coin, "side": intent.side.value, **data}
        self._write(order.status.value, intent.user_id, intent.deployment_id, data)
        return order

    def _write(self, kind: str, user_id: UUID, deployment_id: UUID, data: dict[str, Any]) -> None:
        now = self.deployments.clock.now()
        self.deployments.journal.write(user_id, kind, data, at=now, deployment_id=deployment_id)


def _is_of(order: Order, user_id: UUID, deployment_id: UUID | None) -> bool:
    return order.intent.user_id == user_id and deployment_id in (None, order.intent.deployment_id)


def _trade(order: Order, fill: Fill) -> Trade:
    intent = order.intent
    trade_id = uuid5(intent.deployment_id, fill.fill_id)
    return Trade(trade_id, intent.deployment_id, intent.client_order_id, order.venue_order_id, fill)
