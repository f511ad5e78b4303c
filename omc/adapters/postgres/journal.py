"""Writing the append-only journal, inside the transaction of what it tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import jsonb, teller

# One statement for all lines: they are numbered in the order in which they stand.
_WRITE = text("""
    INSERT INTO journal (user_id, deployment_id, kind, data, event_time)
    SELECT user_id, deployment_id, kind, CAST(data AS jsonb), event_time FROM unnest(
        CAST(:user_ids AS uuid[]), CAST(:deployment_ids AS uuid[]), CAST(:kinds AS text[]), CAST(:data AS text[]),
        CAST(:event_times AS timestamptz[])
    ) WITH ORDINALITY AS line (user_id, deployment_id, kind, data, event_time, place) ORDER BY place
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
    its numbers rise in the order in which they become visible. Whoever follows it is told after the commit."""
    if not lines:
        return
    values = {
        "user_ids": [line.user_id for line in lines],
        "deployment_ids": [line.deployment_id for line in lines],
        "kinds": [line.kind for line in lines],
        "data": [jsonb.text(line.data) for line in lines],
        "event_times": [line.event_time for line in lines],
    }
    await connection.execute(_WRITE, values)
    teller.note(connection, {line.user_id for line in lines})
