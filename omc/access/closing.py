"""Closing accounts: shutting one out, letting it in again, and deleting it for good.

What is deleted is whoever had the account: their address, name, password, keys and tokens. What it traded stays, books,
journal and audit trail: tax and the trail's chain need it, and it names nobody any more.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from omc.access.api_token import MemoryApiTokenStore
from omc.access.credential_store import MemoryCredentialStore
from omc.access.revocation import valid_from
from omc.access.token import MemoryRefreshStore
from omc.access.user import NOWHERE, MemoryUserStore, User
from omc.clock import ManualClock
from omc.errors import Conflict
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore, Mode

SHUT_OUT, DELETED = "its owner's account was closed", "its owner's account was deleted"
NO_PASSWORD = "!"  # noqa: S105 - no password has this for its hash
_BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A live deployment that keeps its account from being deleted, and why."""

    deployment_id: UUID
    deployment_name: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StillTrading:
    """The account was not deleted."""

    hindrances: tuple[Hindrance, ...]


def hindrance(
    deployment_id: UUID, name: str, *, stopped: bool, under_way: bool, holds: bool, leaving_coins: bool
) -> Hindrance | None:
    """What keeps the account of a live deployment from being deleted; None for nothing. Coins may be left to their
    owner at the exchange, once nothing trades them any more and their owner has said so."""
    reasons: list[str] = []
    if not stopped:
        reasons.append("it is not deactivated")
    if under_way:
        reasons.append("it has an order under way")
    if holds and not (stopped and leaving_coins):
        reasons.append("it holds coins")
    return Hindrance(deployment_id, name, tuple(reasons)) if reasons else None


def placeholder(user_id: UUID) -> str:
    """In place of an address, which is free then. No mail reaches it."""
    return f"{user_id.hex}@deleted{NOWHERE}"


def gone() -> Conflict:
    return Conflict("this account was deleted")


class Closing(Protocol):
    """Each is one transaction, and done again it changes nothing. NotFound for an unknown user."""

    async def shut_out(self, user_id: UUID, at: datetime) -> User:
        """Nobody can log in, no token holds, and what it trades is paused: nobody could stop it."""
        ...

    async def let_in(self, user_id: UUID) -> User:
        """Nothing is resumed. Conflict for an account that was deleted."""
        ...

    async def delete(self, user_id: UUID, at: datetime, *, leaving_coins: bool = False) -> User | StillTrading:
        """For good. Deployments on paper are stopped; any live one that trades hinders it."""
        ...


@dataclass(slots=True)
class MemoryClosing:
    """A Closing of twins in memory. It awaits nothing that waits between looking and changing."""

    users: MemoryUserStore = field(default_factory=MemoryUserStore)
    refresh: MemoryRefreshStore = field(default_factory=MemoryRefreshStore)
    tokens: MemoryApiTokenStore = field(default_factory=MemoryApiTokenStore)
    deployments: MemoryDeploymentStore = field(default_factory=lambda: MemoryDeploymentStore(ManualClock(_BEGINNING)))
    credentials: MemoryCredentialStore | None = None
    holding: set[UUID] = field(default_factory=set)
    """Deployments that hold coins."""

    async def shut_out(self, user_id: UUID, at: datetime) -> User:
        user = await self.users.get(user_id)
        if not user.is_active:
            return user
        await self.deployments.pause_all(user_id, SHUT_OUT)
        await self.refresh.revoke_user(user_id)
        self.tokens.closed.add(user_id)
        return self._keep(replace(user, is_active=False, tokens_valid_from=valid_from(at)))

    async def let_in(self, user_id: UUID) -> User:
        user = await self.users.get(user_id)
        if user.deleted_at is not None:
            raise gone()
        self.tokens.closed.discard(user_id)
        return self._keep(replace(user, is_active=True))

    async def delete(self, user_id: UUID, at: datetime, *, leaving_coins: bool = False) -> User | StillTrading:
        user = await self.users.get(user_id)
        if user.deleted_at is not None:
            return user
        owned = [each for each in self.deployments.kept.values() if each.user_id == user_id]
        found = [self._hindrance(each, leaving_coins) for each in owned if each.mode is Mode.LIVE]
        if hindrances := tuple(each for each in found if each is not None):
            return StillTrading(hindrances)
        for each in owned:
            if each.status is not DeploymentStatus.STOPPED:
                await self.deployments.set_status(each.id, DeploymentStatus.STOPPED, DELETED)
        await self.refresh.revoke_user(user_id)
        self.tokens.kept = {key: each for key, each in self.tokens.kept.items() if each.user_id != user_id}
        if self.credentials is not None:
            kept = self.credentials.kept
            self.credentials.kept = {key: each for key, each in kept.items() if each.user_id != user_id}
        nobody = replace(user, email=placeholder(user_id), full_name=None, is_superuser=False)
        ended = replace(nobody, is_active=False, tokens_valid_from=valid_from(at), deleted_at=at)
        return self._keep(ended, NO_PASSWORD)

    def _hindrance(self, deployment: Deployment, leaving_coins: bool) -> Hindrance | None:
        return hindrance(
            deployment.id,
            deployment.name,
            stopped=deployment.status is DeploymentStatus.STOPPED,
            under_way=any(whose == deployment.id for whose, _ in self.deployments.unsettled.values()),
            holds=deployment.id in self.holding,
            leaving_coins=leaving_coins,
        )

    def _keep(self, user: User, hashed: str | None = None) -> User:
        self.users.users[user.id] = (user, hashed or self.users.users[user.id][1])
        return user
