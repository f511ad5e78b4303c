"""One algorithm version running for one account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from omc.risk.limits import Limits


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


def trader_name(deployment: Deployment) -> str:
    """The trader actor's name: readable, and unique by the id's first eight digits."""
    return f"trader:{deployment.name}:{deployment.id.hex[:8]}"


def differences(wanted: Sequence[Deployment], running: Sequence[str]) -> tuple[list[Deployment], list[str]]:
    """Deployments whose trader must be started, and names of traders that must be stopped."""
    active = {trader_name(each): each for each in wanted if each.status is DeploymentStatus.ACTIVE}
    start = [each for name, each in active.items() if name not in running]
    return start, [name for name in running if name not in active]


class DeploymentStore(Protocol):
    """Durable deployments. `user_id=None` means anybody's: for the floor itself, never for a request."""

    async def create(self, deployment: Deployment, idempotency_key: str | None = None) -> Deployment:
        """Store it, and open its account with `cash_aud`. The same user and key again returns the first one;
        a second deployment of one name by one user is a Conflict."""
        ...

    async def get(self, deployment_id: UUID, user_id: UUID | None = None) -> Deployment:
        """NotFound when absent or somebody else's."""
        ...

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Deployment], int]: ...

    async def active(self) -> list[Deployment]: ...

    async def set_status(self, deployment_id: UUID, status: DeploymentStatus, reason: str) -> Deployment:
        """Change the status and journal it with its reason. STOPPED is final (Conflict)."""
        ...

    async def set_parameters(self, deployment_id: UUID, parameters: Mapping[str, Any]) -> Deployment: ...

    async def pause_all(self, user_id: UUID, reason: str) -> list[Deployment]:
        """Pause every active deployment of the user; those that were."""
        ...

    async def report_error(self, deployment_id: UUID, message: str | None) -> None:
        """Remember (or clear) the last error that its trader met."""
        ...
