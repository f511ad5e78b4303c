"""Whether a user has room for what is written, exactly, however many write at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.quota import Quota, check_room

# Of two that ask for the last place at once, the second waits here until the first has taken it.
_LOCK = text("SELECT 1 FROM users WHERE id = :user_id FOR NO KEY UPDATE")
_COUNTS = {
    Quota.ALGORITHMS: text("SELECT count(*) FROM algorithms WHERE user_id = :user_id AND deleted_at IS NULL"),
    Quota.BACKTESTS: text("""
        SELECT count(*) FROM algorithm_backtest_runs WHERE user_id = :user_id AND status IN ('queued', 'running')
    """),
    Quota.SWEEPS: text("SELECT count(*) FROM sweeps WHERE user_id = :user_id AND status IN ('queued', 'running')"),
}


async def used(connection: AsyncConnection, quota: Quota, user_id: UUID) -> int:
    return int((await connection.execute(_COUNTS[quota], {"user_id": user_id})).scalar_one())


@asynccontextmanager
async def reserved(connection: AsyncConnection, quota: Quota, user_id: UUID, most: int | None) -> AsyncIterator[None]:
    """Around the statements that write one more. RateLimited, which takes the transaction back, when there were `most`
    already; what exists already, or cannot be, is refused for that before."""
    if most is None:
        yield
        return
    await connection.execute(_LOCK, {"user_id": user_id})
    yield
    check_room(quota, await used(connection, quota, user_id) - 1, most)
