"""Orders, fills, accounts and the journal, written before the next step is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from omc.portfolio.account import Account
from omc.risk.verdict import Denied
from omc.trading.fill import Fill
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent


@dataclass(frozen=True, slots=True)
class Rebalance:
    """A rebalancing under way: what it began with, so that whoever restarts in its middle sizes the rest alike."""

    quoted_at: datetime
    equity_aud: float
    targets: tuple[float, ...]
    """A weight for each of the deployment's coins."""


@dataclass(frozen=True, slots=True)
class TraderMemory:
    """All that a trader must know again after a restart, besides its account and its orders."""

    done_until: datetime | None = None
    """The last quotes that it finished with."""
    decided_at: datetime | None = None
    targets: tuple[float, ...] | None = None
    """The weights decided at `decided_at`, one for each coin."""
    stopped: tuple[bool, ...] | None = None
    """Coins whose stop was hit, out until their weight returns to zero."""
    rebalance: Rebalance | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a deployment wants what it wants."""

    decided_at: datetime
    targets: Mapping[str, float]
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of the append-only journal."""

    seq: int
    kind: str
    """intent, denied, submitted, unknown, filled, …; decision; rebalance; deployment; halt; reset."""
    deployment_id: UUID | None
    recorded_at: datetime
    data: Mapping[str, Any]


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


class Blotter(Protocol):
    """Every method is one transaction: when it returns, it is durable; when it raises, nothing of it happened."""

    async def begin(self, intent: OrderIntent) -> Order:
        """Journal an intent. An intent that is known already is returned as the order it became."""
        ...

    async def deny(self, order: Order, denied: Denied) -> Order: ...

    async def submitting(self, order: Order, trader: Lease, risk: Lease) -> Order:
        """Write ahead that the order is about to be sent: INTENT or UNKNOWN -> SUBMITTED.

        StaleLease when either epoch is not the one in force, Halted when the kill switch is on, Conflict when the
        deployment is not active: checked in the same transaction, so that nothing slips in between.
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
