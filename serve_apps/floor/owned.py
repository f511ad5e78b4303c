"""Everything that belongs to one asker, page by page until there is no more."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from omc.trading.blotter import Blotter
from omc.trading.deployment import Deployment, DeploymentStatus, DeploymentStore, Mode
from omc.trading.fill import Fill


class Named(Protocol):
    @property
    def id(self) -> UUID: ...


T = TypeVar("T", bound=Named)
_AT_ONCE = 1_000


async def everything(page: Callable[[int, int], Awaitable[tuple[list[T], int]]]) -> list[T]:
    """All that `page(offset, limit)` cuts pages of, in its order. What comes to a list's front between two pages pushes
    the rest into the next one: what was in one already is not taken again."""
    found: dict[UUID, T] = {}
    read = 0
    while True:
        part, total = await page(read, _AT_ONCE)
        for each in part:
            found.setdefault(each.id, each)
        read += len(part)
        if not part or read >= total:
            return list(found.values())


async def deployments_of(store: DeploymentStore, user_id: UUID) -> list[Deployment]:
    return await everything(lambda offset, limit: store.page(user_id, offset, limit))


async def is_live(store: DeploymentStore, user_id: UUID, deployment_id: UUID | None = None) -> bool:
    """Whether a deployment, or without one any of the owner's, could trade real money. NotFound for another's."""
    if deployment_id is not None:
        asked = [await store.get(deployment_id, user_id)]
    else:
        asked = await deployments_of(store, user_id)
    return any(each.mode is Mode.LIVE and each.status is not DeploymentStatus.STOPPED for each in asked)


async def fills_of(blotter: Blotter, deployment: Deployment, until: datetime | None = None) -> list[Fill]:
    """A deployment's fills, oldest first; those at `until` or later left out."""
    trades = await everything(
        lambda offset, limit: blotter.trades(deployment.user_id, deployment.id, offset, limit, until=until)
    )
    return [trade.fill for trade in reversed(trades)]
