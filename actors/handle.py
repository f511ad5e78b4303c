"""How the rest of the house calls the floor's actors: plain objects that travel anywhere and never raise Ray's errors.

Every method here may be asked twice, so a call that an actor's death cut short is asked again of its successor, for as
long as patience lasts; then it is Unavailable.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from actors import address
from actors.packed import unpacked
from omc.access.credential import Credential, Keyhole
from omc.errors import OmcError, Unavailable
from omc.ledger.exchange import CollectorStatus, QuotesSeen
from omc.market.quote import QuoteBoard
from omc.risk.kill_switch import Halt, HaltLevel
from omc.risk.verdict import Denied
from omc.trading.blotter import TraderMemory
from omc.trading.deployment import Deployment
from omc.trading.floor import Choice, HaltReport, Reconciliation, TraderState, TraderStats
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent

_found: dict[str, ActorHandle[Any]] = {}
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5


async def call(name: str, method: str, *args: Any, patience_s: float) -> Any:
    """Call a method that may be asked twice of the actor `name`.

    Raises what the method raised if it is one of ours; Unavailable for anything else, and when the actor has not
    answered within `patience_s` of being away. Time that it takes to answer does not count.
    """
    pause = _FIRST_PAUSE_S
    seconds = asyncio.get_running_loop().time
    deadline = seconds() + patience_s
    while True:
        actor = _found.get(name) or address.find(name)
        if actor is not None:
            _found[name] = actor
            asked = seconds()
            try:
                return await getattr(actor, method).remote(*args)
            except RayTaskError as error:
                raise _ours(name, method, error) from None
            except RayError:
                _found.pop(name, None)
                deadline += seconds() - asked
        if seconds() > deadline:
            raise Unavailable(f"{name} is away")
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE_S, pause * 2)


def _ours(name: str, method: str, error: RayTaskError) -> OmcError:
    if isinstance(error.cause, OmcError):
        return error.cause
    return Unavailable(f"{name} failed in {method}: {error.cause!r}")


@dataclass(frozen=True, slots=True)
class RiskHandle:
    """A RiskDesk."""

    name: str = address.RISK
    patience_s: float = 60.0

    async def submit(self, intent: OrderIntent, trader: Lease, memory: TraderMemory | None = None) -> Order | Denied:
        answer = await call(self.name, "submit", intent, trader, memory, patience_s=self.patience_s)
        return cast("Order | Denied", answer)

    async def cancel(self, client_order_id: str, why: str) -> Order:
        return cast(Order, await call(self.name, "cancel", client_order_id, why, patience_s=self.patience_s))

    async def replace(self, client_order_id: str, price_aud: Decimal) -> Order:
        return cast(Order, await call(self.name, "replace", client_order_id, price_aud, patience_s=self.patience_s))

    async def trip(self, halt: Halt) -> None:
        await call(self.name, "trip", halt, patience_s=self.patience_s)

    async def halt(
        self,
        user_id: UUID,
        liquidate: bool,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
    ) -> HaltReport:
        asked = (user_id, liquidate, deployment_id, level)
        return cast(HaltReport, await call(self.name, "halt", *asked, patience_s=self.patience_s))

    async def release(self, user_id: UUID | None, deployment_id: UUID | None = None) -> None:
        await call(self.name, "release", user_id, deployment_id, patience_s=self.patience_s)

    async def force_exit(self, deployment_id: UUID, coins: Sequence[str], key: str | None = None) -> HaltReport:
        answer = await call(self.name, "force_exit", deployment_id, tuple(coins), key, patience_s=self.patience_s)
        return cast(HaltReport, answer)

    async def reconcile(self, deployment_id: UUID) -> Reconciliation:
        return cast(Reconciliation, await call(self.name, "reconcile", deployment_id, patience_s=self.patience_s))

    async def resolve(self, client_order_id: str, choice: Choice, by: str) -> Order:
        answer = await call(self.name, "resolve", client_order_id, choice, by, patience_s=self.patience_s)
        return cast(Order, answer)

    async def accept(self, deployment_id: UUID, by: str, once: UUID | None = None) -> Reconciliation:
        answer = await call(self.name, "accept", deployment_id, by, once, patience_s=self.patience_s)
        return cast(Reconciliation, answer)

    async def balances(self, deployment: Deployment) -> Mapping[str, Decimal]:
        answer = await call(self.name, "balances", deployment, patience_s=self.patience_s)
        return cast("Mapping[str, Decimal]", answer)

    async def examine(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        return cast(Credential, await call(self.name, "examine", user_id, keyhole, patience_s=self.patience_s))

    async def ping(self) -> str:
        return cast(str, await call(self.name, "ping", patience_s=self.patience_s))


@dataclass(frozen=True, slots=True)
class CollectorHandle:
    """A HotCache and a QuoteWatch, and the collector's switches."""

    name: str = address.COLLECTOR_EXCHANGE
    patience_s: float = 30.0

    async def newest(self) -> QuoteBoard | None:
        return cast("QuoteBoard | None", await call(self.name, "newest", patience_s=self.patience_s))

    async def after(self, consumer: str, done_until: datetime | None, timeout_s: float) -> QuotesSeen | None:
        answer = await call(self.name, "after_packed", consumer, done_until, timeout_s, patience_s=self.patience_s)
        return unpacked(answer)

    async def watch(self, shown: datetime | None, timeout_s: float) -> QuoteBoard | None:
        """A QuoteWatch."""
        seen = unpacked(await call(self.name, "watch_packed", shown, timeout_s, patience_s=self.patience_s))
        return seen.board if seen else None

    async def leave(self, consumer: str) -> None:
        await call(self.name, "leave", consumer, patience_s=self.patience_s)

    async def status(self) -> CollectorStatus:
        return cast(CollectorStatus, await call(self.name, "status", patience_s=self.patience_s))

    async def pause(self) -> None:
        await call(self.name, "pause", patience_s=self.patience_s)

    async def resume(self) -> None:
        await call(self.name, "resume", patience_s=self.patience_s)

    async def trigger(self) -> None:
        """Poll now rather than when it is due."""
        await call(self.name, "trigger", patience_s=self.patience_s)

    async def ping(self) -> str:
        return cast(str, await call(self.name, "ping", patience_s=self.patience_s))


@dataclass(frozen=True, slots=True)
class SupervisorHandle:
    """A Supervision."""

    name: str = address.SUPERVISOR
    patience_s: float = 30.0

    async def nudge(self) -> None:
        await call(self.name, "nudge", patience_s=self.patience_s)

    async def traders(self) -> list[TraderState]:
        return cast(list[TraderState], await call(self.name, "traders", patience_s=self.patience_s))

    async def ping(self) -> str:
        return cast(str, await call(self.name, "ping", patience_s=self.patience_s))


@dataclass(frozen=True, slots=True)
class TraderHandle:
    """One trader, by `trader_name(deployment)`. It is away whenever its deployment is not active."""

    name: str
    patience_s: float = 2.0

    async def state(self) -> TraderState:
        return cast(TraderState, await call(self.name, "state", patience_s=self.patience_s))

    async def stats(self) -> TraderStats:
        return cast(TraderStats, await call(self.name, "stats", patience_s=self.patience_s))
