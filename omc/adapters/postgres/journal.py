"""Writing the append-only journal, inside the transaction of what it tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import jsonb

_WRITE = text("""
    INSERT INTO journal (user_id, deployment_id, kind, data, event_time)
    VALUES (:user_id, :deployment_id, :kind, CAST(:data AS jsonb), :event_time)
""")


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be written. `event_time` is when it happened by the market's clock, where that is another."""

    user_id: UUID
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    deployment_id: UUID | None = None
    event_time: datetime | None = None


async def write(connection: AsyncConnection, *lines: Line) -> None:
    """Append `lines`. Nothing may be locked after this: an account's journal stays locked until the commit, so that
    its numbers rise in the order in which they become visible."""
    for line in lines:
        await connection.execute(
            _WRITE,
            {
                "user_id": line.user_id,
                "deployment_id": line.deployment_id,
                "kind": line.kind,
                "data": jsonb.text(line.data),
                "event_time": line.event_time,
            },
        )
