"""The floor as the rest of the house sees it: who approves and sends orders, and who keeps traders running."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from omc.access.credential import Credential, Keyhole
from omc.risk.kill_switch import Halt, HaltLevel
from omc.risk.verdict import Denied
from omc.trading.blotter import TraderMemory
from omc.trading.deployment import Deployment
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent
from omc.trading.venue import Venue


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Our books of one account beside the venue's. `differences` is one sentence for each coin or cash that differs.

    An account of real money is shared by all of its owner's deployments there, and `ours` is what they hold together.
    """

    deployment_id: UUID
    compared_at: datetime
    ours: Mapping[str, Decimal]
    venue: Mapping[str, Decimal]
    differences: tuple[str, ...]
    account: str = ""
    external: Mapping[str, Decimal] = field(default_factory=dict)
    """What is at the venue and not ours: its owner's own, and what others' orders changed."""
    told: tuple[str, ...] = ()
    """What was found and mended, or is worth a look: one sentence each."""
    waiting: tuple[str, ...] = ()
    """Client order ids of orders that wait for a person, or could not be accounted for."""
    closed: str | None = None
    """Why nothing is added on this account; None while it is."""
    unread: str | None = None
    """Why it could not be compared again and again since, which closes it, too."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person says that an unresolved order became: some of its candidates' fills, an open order at the venue, or
    none of them."""

    fill_ids: tuple[str, ...] = ()
    venue_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class HaltReport:
    """What an emergency stop did beyond setting the flag; `problems` is what it could not do, one sentence each."""

    cancelled_orders: int
    sold: tuple[Order, ...]
    problems: tuple[str, ...]


class RiskDesk(Protocol):
    """The one place that approves orders and sends them."""

    async def submit(self, intent: OrderIntent, trader: Lease, memory: TraderMemory | None = None) -> Order | Denied:
        """Carry an intent through to its end: a final order, or our no. Asking again with the same intent gives the
        same answer and never a second venue order. What its trader is to remember from then on is stored in the step
        that journals the intent. StaleLease when `trader` lost its lease, Overtaken when the memory has not heard of a
        notice; Unavailable while the floor is still recovering."""
        ...

    async def cancel(self, client_order_id: str, why: str) -> Order:
        """End an order early: what rests on the book is cancelled, slices that are not sent are not, and fills are
        kept. The final order, however often it is asked for; NotFound when there is none."""
        ...

    async def replace(self, client_order_id: str, price_aud: Decimal) -> Order:
        """Move the limit of an order that rests on the book, and say how it stands. Conflict when it does not rest, our
        risk book says no, or the venue did not move it."""
        ...

    async def trip(self, halt: Halt) -> None:
        """Hear that the kill switch was tripped. When it returns, nothing is sent any more that this halt stops."""
        ...

    async def halt(
        self,
        user_id: UUID,
        liquidate: bool,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
    ) -> HaltReport:
        """After the kill switch was tripped: cancel open orders of the account, or of one deployment, and, if asked,
        sell everything. A halt of what adds cancels what adds."""
        ...

    async def release(self, user_id: UUID | None, deployment_id: UUID | None = None) -> None:
        """After it was reset: forget that halt, and measure losses there anew."""
        ...

    async def force_exit(self, deployment_id: UUID, coins: Sequence[str], key: str | None = None) -> HaltReport:
        """Sell those coins of a deployment, or without any all that it holds, while it goes on trading: it buys none
        of them until its algorithm has let go of it. The same key again sells nothing more."""
        ...

    async def reconcile(self, deployment_id: UUID) -> Reconciliation:
        """Compare the books of the account that a deployment trades with the venue's now, and mend what can be."""
        ...

    async def resolve(self, client_order_id: str, choice: Choice, by: str) -> Order:
        """Settle an order that waits for a person as that person says; `by` names them. InvalidInput for what it could
        not be, Conflict when it was decided otherwise."""
        ...

    async def accept(self, deployment_id: UUID, by: str, once: UUID | None = None) -> Reconciliation:
        """Make our books of the account the venue's, by fills that nobody made and by cash that came or went. Conflict
        when that cannot be, or leaves the account closed. The operation `once` again accepts nothing more, and is
        answered the same."""
        ...

    async def balances(self, deployment: Deployment) -> Mapping[str, Decimal]:
        """What the account holds that it trades, or would trade: it need not be stored yet. Unavailable when the venue
        does not show it."""
        ...

    async def examine(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        """As an `Examiner`: nobody else may open a key."""
        ...


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
