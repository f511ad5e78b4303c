"""One algorithm version running for one account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from omc.clock import Clock
from omc.errors import Conflict, NotFound, Overtaken
from omc.risk.limits import Limits
from omc.strategy.trigger import Triggers
from omc.trading.execution import AT_ONCE, Execution
from omc.trading.fill import Side
from omc.trading.funds import Allotted, Funds, check_free
from omc.trading.journal import MemoryJournal


class DeploymentStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"


class Mode(StrEnum):
    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is wanted on the floor. `coins` are in the order in which they are traded."""

    id: UUID
    user_id: UUID
    algorithm_id: UUID
    algorithm_version: int
    algorithm_type: str
    name: str
    coins: tuple[str, ...]
    parameters: Mapping[str, Any]
    mode: Mode
    venue: str
    cash_aud: Decimal
    limits: Limits
    rebalance_band: float
    status: DeploymentStatus
    deployed_at: datetime
    heartbeat_at: datetime | None = None
    last_executed_at: datetime | None = None
    last_signal_at: datetime | None = None
    execution_count: int = 0
    last_error: str | None = None
    model: UUID | None = None
    """The fitted model that decides, for code that learns."""
    execution: Execution = AT_ONCE
    """How its orders are worked."""
    triggers: Triggers = ()
    """When its algorithm is asked: on every bar, without any."""

    @property
    def account(self) -> str:
        """Names the account at the venue that it trades: one of its own on paper, its owner's when it is live."""
        return str(self.id) if self.mode is Mode.PAPER else live_account(self.venue, self.user_id)


def live_account(venue: str, user_id: UUID) -> str:
    """Names the account that an owner has at a venue."""
    return f"{venue}:{user_id}"


def trader_name(deployment: Deployment) -> str:
    """The trader actor's name: readable, and unique by the id's first eight digits."""
    return f"trader:{deployment.name}:{deployment.id.hex[:8]}"


def differences(wanted: Sequence[Deployment], running: Sequence[str]) -> tuple[list[Deployment], list[str]]:
    """Deployments whose trader must be started, and names of traders that must be stopped."""
    active = {trader_name(each): each for each in wanted if each.status is DeploymentStatus.ACTIVE}
    start = [each for name, each in active.items() if name not in running]
    return start, [name for name in running if name not in active]


def too_late(deployment: Deployment) -> Conflict:
    """Why its status cannot be changed as was asked."""
    if deployment.status is DeploymentStatus.STOPPED:
        return Conflict(f"deployment {deployment.name} was stopped for good")
    said = f"deployment {deployment.name} was {deployment.status} after this was asked for"
    return Conflict(f"{said}: ask anew, with another Idempotency-Key, if you still want it")


class DeploymentStore(Protocol):
    """Durable deployments. `user_id=None` means anybody's: for the floor itself, never for a request."""

    async def create(self, deployment: Deployment, *, within: Funds | None = None) -> Deployment:
        """Store it, and open its account with `cash_aud`. One of the user's that is stored already is returned as it
        is now; a second deployment of one name by one user is a Conflict.

        `within` is the cash of the account at the venue that it shares with others: it is a Conflict when they and it
        would have more than that together, whoever else is created at the same time, and Overtaken when they have
        traded since that was read."""
        ...

    async def allotted_aud(self, user_id: UUID, venue: str) -> Decimal:
        """What an owner's live deployments at a venue that are not stopped have in their books in cash."""
        ...

    async def get(self, deployment_id: UUID, user_id: UUID | None = None) -> Deployment:
        """NotFound when absent or somebody else's."""
        ...

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Deployment], int]: ...

    async def active(self) -> list[Deployment]: ...

    async def set_status(
        self,
        deployment_id: UUID,
        status: DeploymentStatus,
        reason: str,
        *,
        once: UUID | None = None,
        asked_at: datetime | None = None,
    ) -> Deployment:
        """Change the status and journal it with its reason. STOPPED is final (Conflict). The operation `once` has its
        effect once: had already, it leaves what others have changed since. With `asked_at` it is a Conflict, and
        nothing is changed, when somebody has said since what is wanted."""
        ...

    async def affirm(self, deployment_id: UUID) -> None:
        """What is wanted of it is wanted now as well: what was asked for before comes too late."""
        ...

    async def set_limits(
        self, deployment_id: UUID, limits: Limits, *, before: Limits | None = None, once: UUID | None = None
    ) -> Deployment:
        """What it trades within from its next order on. Journaled. Overtaken, and nothing is changed, when they are not
        `before` any more. `once` is as in `set_status`."""
        ...

    async def pause_all(self, user_id: UUID, reason: str) -> list[Deployment]:
        """Pause every active deployment of the user, and affirm those that are paused; those that were active."""
        ...

    async def report_error(self, deployment_id: UUID, message: str | None) -> None:
        """Remember (or clear) the last error that its trader met."""
        ...


@dataclass(slots=True)
class MemoryDeploymentStore:
    """A DeploymentStore that lives and dies with the process."""

    clock: Clock
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    kept: dict[UUID, Deployment] = field(default_factory=dict)
    cash: dict[UUID, Decimal] = field(default_factory=dict)
    """What the books of those that have traded have in cash: their blotter keeps it up to date."""
    unsettled: dict[str, tuple[UUID, Side]] = field(default_factory=dict)
    """Orders that were sent and are not final, by name, with whose they are: their blotter keeps it up to date."""
    _done: set[UUID] = field(default_factory=set)
    """Operations that have had their effect."""
    _wanted_at: dict[UUID, datetime] = field(default_factory=dict)
    """When it was last said what is wanted of each."""

    async def create(self, deployment: Deployment, *, within: Funds | None = None) -> Deployment:
        known = self.kept.get(deployment.id)
        if known is not None and known.user_id == deployment.user_id:
            return known
        if known is not None:
            raise Conflict(f"the deployment {deployment.id} cannot be stored twice")
        if any(each.user_id == deployment.user_id and each.name == deployment.name for each in self.kept.values()):
            raise Conflict(f"there is a deployment named {deployment.name} already")
        if within is not None:
            check_free(deployment.venue, deployment.cash_aud, within, self._allotted(deployment.account))
        return self._keep(deployment, {"status": deployment.status.value, "reason": "deployed"})

    async def get(self, deployment_id: UUID, user_id: UUID | None = None) -> Deployment:
        found = self.kept.get(deployment_id)
        if found is None or user_id not in (None, found.user_id):
            raise NotFound(f"there is no deployment {deployment_id}")
        return found

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Deployment], int]:
        owned = [each for each in reversed(self.kept.values()) if each.user_id == user_id]
        return owned[offset : offset + limit], len(owned)

    async def active(self) -> list[Deployment]:
        return [each for each in self.kept.values() if each.status is DeploymentStatus.ACTIVE]

    async def set_status(
        self,
        deployment_id: UUID,
        status: DeploymentStatus,
        reason: str,
        *,
        once: UUID | None = None,
        asked_at: datetime | None = None,
    ) -> Deployment:
        deployment = await self.get(deployment_id)
        if once in self._done:
            return deployment
        overtaken = asked_at is not None and self._wanted_at.get(deployment_id, asked_at) > asked_at
        if deployment.status is not status and (overtaken or deployment.status is DeploymentStatus.STOPPED):
            raise too_late(deployment)
        self._had(once)
        await self.affirm(deployment_id)
        return self._keep(replace(deployment, status=status), {"status": status.value, "reason": reason})

    async def affirm(self, deployment_id: UUID) -> None:
        self._wanted_at[deployment_id] = self.clock.now()

    async def set_limits(
        self, deployment_id: UUID, limits: Limits, *, before: Limits | None = None, once: UUID | None = None
    ) -> Deployment:
        deployment = await self.get(deployment_id)
        if once in self._done:
            return deployment
        if before not in (None, deployment.limits):
            raise Overtaken(f"the limits of {deployment.name} have been changed since they were read")
        self._had(once)
        return self._keep(replace(deployment, limits=limits), {"risk_limits": limits.told()})

    async def pause_all(self, user_id: UUID, reason: str) -> list[Deployment]:
        owned = [each for each in self.kept.values() if each.user_id == user_id]
        active = [each for each in owned if each.status is DeploymentStatus.ACTIVE]
        for each in owned:
            await self.affirm(each.id)
        return [await self.set_status(each.id, DeploymentStatus.PAUSED, reason) for each in active]

    async def report_error(self, deployment_id: UUID, message: str | None) -> None:
        deployment = await self.get(deployment_id)
        self.kept[deployment_id] = replace(deployment, last_error=message)

    async def allotted_aud(self, user_id: UUID, venue: str) -> Decimal:
        return self._allotted(live_account(venue, user_id)).cash_aud

    def _allotted(self, account: str) -> Allotted:
        sharing = [each for each in self.kept.values() if each.account == account]
        running = {each.id: each.cash_aud for each in sharing if each.status is not DeploymentStatus.STOPPED}
        cash_aud = sum((self.cash.get(key, cash) for key, cash in running.items()), Decimal(0))
        return Allotted(cash_aud, any(key in running and side is Side.SELL for key, side in self.unsettled.values()))

    def _had(self, once: UUID | None) -> None:
        if once is not None:
            self._done.add(once)

    def tune(self, deployment_id: UUID, parameters: Mapping[str, Any], told: Mapping[str, Any]) -> Deployment:
        """Other parameters, as its blotter gives them in one step with a notice to its trader."""
        return self._keep(replace(self.kept[deployment_id], parameters=dict(parameters)), told)

    def beat(self, deployment_id: UUID, signal: bool) -> None:
        """Stamp a trader's heartbeat, as its blotter does when the trader remembers."""
        now, deployment = self.clock.now(), self.kept[deployment_id]
        self.kept[deployment_id] = replace(
            deployment,
            heartbeat_at=now,
            last_executed_at=now,
            last_signal_at=now if signal else deployment.last_signal_at,
            execution_count=deployment.execution_count + 1,
        )

    def _keep(self, deployment: Deployment, data: Mapping[str, Any]) -> Deployment:
        self.kept[deployment.id] = deployment
        now = self.clock.now()
        self.journal.write(deployment.user_id, "deployment", data, at=now, deployment_id=deployment.id)
        return deployment
