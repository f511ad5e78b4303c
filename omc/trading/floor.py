"""The floor as the rest of the house sees it: who approves and sends orders, and who keeps traders running."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from omc.risk.verdict import Denied
from omc.trading.deployment import Deployment
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent
from omc.trading.venue import Venue


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Our books beside the venue's. `differences` is one sentence for each coin or cash that differs."""

    deployment_id: UUID
    compared_at: datetime
    ours: Mapping[str, Decimal]
    venue: Mapping[str, Decimal]
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HaltReport:
    """What an emergency stop did beyond setting the flag; `problems` is what it could not do, one sentence each."""

    cancelled_orders: int
    sold: tuple[Order, ...]
    problems: tuple[str, ...]


class RiskDesk(Protocol):
    """The one place that approves orders and sends them."""

    async def submit(self, intent: OrderIntent, trader: Lease) -> Order | Denied:
        """Carry an intent through to its end: a final order, or our no. Asking again with the same intent gives the
        same answer and never a second venue order. StaleLease when `trader` lost its lease; Unavailable while the
        floor is still recovering."""
        ...

    async def halt(self, user_id: UUID, liquidate: bool) -> HaltReport:
        """After the kill switch was tripped: cancel the account's open orders and, if asked, sell everything."""
        ...

    async def reconcile(self, deployment_id: UUID) -> Reconciliation: ...


@dataclass(frozen=True, slots=True)
class TraderState:
    """One trader as its supervisor sees it."""

    name: str
    deployment_id: UUID
    state: str
    """starting, running, failed (it tries again), halted (it paused its deployment), stopped (for good)."""
    restarts: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class TraderStats:
    """A trader's own figures, restarts included. `order_ms` is a sample of the newest orders: how long each took from
    its quotes' arrival to its end."""

    bars: int
    orders: int
    order_ms: tuple[float, ...]

    def percentile_ms(self, percent: float) -> float | None:
        """The nearest-rank percentile of `order_ms`; None without orders."""
        if not self.order_ms:
            return None
        ranked = sorted(self.order_ms)
        return ranked[max(0, math.ceil(percent / 100 * len(ranked)) - 1)]


class Supervision(Protocol):
    async def nudge(self) -> None:
        """Compare wanted with running now rather than at the next round."""
        ...

    async def traders(self) -> list[TraderState]: ...


class Venues(Protocol):
    """Opens a deployment's account at its venue. Credentials stay inside what this returns."""

    async def open(self, deployment: Deployment) -> Venue: ...
