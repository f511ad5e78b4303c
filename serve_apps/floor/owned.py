"""Everything that belongs to one asker, page by page until there is no more."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from omc.trading.blotter import Blotter
from omc.trading.deployment import Deployment, DeploymentStore
from omc.trading.fill import Fill

T = TypeVar("T")
_AT_ONCE = 1_000


async def everything(page: Callable[[int, int], Awaitable[tuple[list[T], int]]], most: int | None = None) -> list[T]:
    """All that `page(offset, limit)` cuts pages of, in its order; about the first `most`, when that is given."""
    found: list[T] = []
    while True:
        part, total = await page(len(found), _AT_ONCE)
        found += part
        if not part or len(found) >= (total if most is None else min(total, most)):
            return found


async def deployments_of(store: DeploymentStore, user_id: UUID) -> list[Deployment]:
    return await everything(lambda offset, limit: store.page(user_id, offset, limit))


async def fills_of(blotter: Blotter, deployment: Deployment, until: datetime | None = None) -> list[Fill]:
    """A deployment's fills, oldest first; those at `until` or later left out."""
    trades = await everything(
        lambda offset, limit: blotter.trades(deployment.user_id, deployment.id, offset, limit, until=until)
    )
    return [trade.fill for trade in reversed(trades)]
