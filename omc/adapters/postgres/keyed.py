"""The live deployments that trade by an exchange key, within somebody's transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.credential import Keyhole, Use
from omc.access.credential_store import under_way
from omc.adapters.postgres import journal
from omc.trading.order import UNSETTLED

# Kept from changing meanwhile, and from writing ahead that an order is sent.
_LIVE = text("""
    SELECT id, deployment_name, status FROM deployed_algorithms
    WHERE user_id = :user_id AND venue = :name AND mode = 'live' ORDER BY id FOR NO KEY UPDATE
""")
_UNDER_WAY = text("""
    SELECT o.client_order_id, d.deployment_name
    FROM orders o JOIN deployed_algorithms d ON d.id = o.deployed_algorithm_id
    WHERE o.user_id = :user_id AND d.venue = :name AND d.mode = 'live' AND o.status = ANY(:unsettled)
    ORDER BY o.seq LIMIT 1
""")
_PAUSE = text("""
    UPDATE deployed_algorithms SET status = 'paused', wanted_at = clock_timestamp(), last_error = :reason
    WHERE id = ANY(:ids)
""")


async def live(connection: AsyncConnection, user_id: UUID, keyhole: Keyhole) -> Sequence[Row[Any]]:
    """The live deployments of a key's owner at its venue, locked: id, deployment_name, status."""
    if keyhole.use is not Use.EXCHANGE:
        return ()
    return (await connection.execute(_LIVE, {"user_id": user_id, "name": keyhole.name})).all()


async def check_settled(connection: AsyncConnection, user_id: UUID, keyhole: Keyhole) -> None:
    """Conflict while an order of theirs is under way."""
    if keyhole.use is not Use.EXCHANGE:
        return
    which = {"user_id": user_id, "name": keyhole.name, "unsettled": [each.value for each in UNSETTLED]}
    order = (await connection.execute(_UNDER_WAY, which)).first()
    if order is not None:
        raise under_way(keyhole, order.deployment_name, order.client_order_id)


async def paused(connection: AsyncConnection, user_id: UUID, keyhole: Keyhole, reason: str) -> list[UUID]:
    """Pause those that are active; whose ids."""
    ids = [row.id for row in await live(connection, user_id, keyhole) if row.status == "active"]
    if ids:
        await connection.execute(_PAUSE, {"ids": ids, "reason": reason})
        told = {"status": "paused", "reason": reason}
        await journal.write(connection, *(journal.Line(user_id, "deployment", told, each) for each in ids))
    return ids
