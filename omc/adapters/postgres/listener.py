"""Following the journal in PostgreSQL: one connection that listens, and reads by account and number.

A notice says only whose journal has grown. What it says is read, so notices that came twice change nothing; and whoever
watches is told every other second that anybody's journal may have grown, so none is lost for long.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import text

from omc.adapters.postgres import faults
from omc.adapters.postgres.database import Database, connect
from omc.adapters.postgres.teller import CHANNEL
from omc.errors import OmcError
from omc.ledger.cadence import Cadence
from omc.trading.feed import Heard
from omc.trading.journal import JournalEntry
from omc.trading.stream import Numbered

_log = logging.getLogger(__name__)

_POSITION = text("SELECT coalesce(max(account_seq), 0) FROM journal WHERE user_id = :user_id")
# One look at an index for each account, however many there are.
_AFTER = text("""
    SELECT told.user_id, told.account_seq, told.seq, told.kind, told.deployment_id, told.recorded_at, told.data
    FROM unnest(CAST(:users AS uuid[]), CAST(:positions AS bigint[])) AS wanted (user_id, position)
    CROSS JOIN LATERAL (
        SELECT * FROM journal WHERE journal.user_id = wanted.user_id AND journal.account_seq > wanted.position
        ORDER BY journal.account_seq LIMIT :limit
    ) AS told ORDER BY told.user_id, told.account_seq
""")
# Asking it shows that the server is there still. What a writer did not live to tell is looked up then.
_LOOK_S, _ANSWER_S = 2.0, 5.0
_CADENCE = Cadence(every_s=_LOOK_S, longest_s=5.0, first_s=0.05)


@dataclass(frozen=True, slots=True)
class PostgresFeed:
    """A JournalFeed."""

    database: Database
    cadence: Cadence = _CADENCE

    async def position(self, user_id: UUID) -> int:
        async with self.database.look() as connection:
            return int((await connection.execute(_POSITION, {"user_id": user_id})).scalar_one())

    async def after(self, positions: Mapping[UUID, int], limit: int) -> list[Numbered]:
        if not positions:
            return []
        wanted = {"users": list(positions), "positions": list(positions.values()), "limit": limit}
        async with self.database.look() as connection:
            rows = (await connection.execute(_AFTER, wanted)).all()
        return [
            Numbered(
                row.user_id,
                row.account_seq,
                JournalEntry(row.seq, row.kind, row.deployment_id, row.recorded_at, row.data),
            )
            for row in rows
        ]

    async def watch(self, heard: Heard) -> None:
        failures = 0
        while True:
            try:
                connection = await connect(self.database.dsn_file)
                try:
                    await self._listen(connection, heard, failures)
                finally:
                    # A server that hangs does not answer a good-bye.
                    connection.terminate()
            except Exception as error:
                ours = error if isinstance(error, OmcError) else faults.translated(error)
                if ours is None:
                    raise
                failures += 1
                _log.warning("nobody tells of the journal", extra={"error": str(ours), "failures": failures})
            else:
                failures = 1
            await asyncio.sleep(self.cadence.pause_s(failures))

    async def _listen(self, connection: asyncpg.Connection, heard: Heard, failures: int) -> None:
        """Tell until the connection is lost."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, lambda _, __, ___, told: heard(UUID(told) if told else None))
        if failures:
            _log.info("the journal is followed again")
        while not lost.is_set():
            heard(None)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await lost.wait()
            if not lost.is_set():
                await connection.execute("SELECT 1", timeout=_ANSWER_S)
