"""The catalyst ledger in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from omc.adapters.postgres.database import Database
from omc.ledger.catalyst import Catalyst

_RECORD = text("""
    INSERT INTO catalyst_events (
        type, priority, title, url, coins, source, source_id, revision, event_time, seen_time
    ) VALUES (
        :type, :priority, :title, :url, CAST(:coins AS text[]), :source, :source_id, :revision, :event_time, :seen_time
    )
    ON CONFLICT (source, source_id, revision) DO NOTHING
    RETURNING 1
""")
_SEEN = text("""
    SELECT type, priority, title, url, coins, source, source_id, revision, event_time, seen_time FROM catalyst_events
    WHERE seen_time > :after AND seen_time <= :until ORDER BY seen_time, source, source_id, revision
""")


@dataclass(frozen=True, slots=True)
class PostgresCatalysts:
    """A CatalystLedger."""

    database: Database

    async def record(self, events: Sequence[Catalyst]) -> int:
        async with self.database.transaction() as connection:
            new = 0
            for each in events:
                values = {name: getattr(each, name) for name in Catalyst.__slots__}
                new += len((await connection.execute(_RECORD, {**values, "coins": list(each.coins)})).all())
            return new

    async def seen(self, after: datetime, until: datetime) -> list[Catalyst]:
        async with self.database.look() as connection:
            rows = (await connection.execute(_SEEN, {"after": after, "until": until})).all()
        return [Catalyst(**{**row._asdict(), "coins": tuple(row.coins)}) for row in rows]
