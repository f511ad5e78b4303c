"""Telling that journals have grown, once that is committed.

PostgreSQL lets one transaction that notifies commit at a time, and keeps the others waiting while it is written to
disk: a notice inside the transaction that journals would cap the whole journal at what a disk flushes a second, and
keep orders waiting for it. So it is sent afterwards, without waiting for the disk, and those of one moment together.
A notice that is lost with its process is made up for by whoever listens, who looks for itself every other second.
"""

import asyncio
import logging
from collections.abc import Iterable
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from omc.adapters.postgres import faults

CHANNEL = "journal"
_log = logging.getLogger(__name__)

_NOTED: WeakKeyDictionary[AsyncConnection, set[UUID]] = WeakKeyDictionary()
_TELL = text("""
    SELECT set_config('synchronous_commit', 'off', true), pg_notify(:channel, told)
    FROM unnest(CAST(:users AS text[])) AS told
""")


def note(connection: AsyncConnection, users: Iterable[UUID]) -> None:
    """Whose journal this transaction lets grow."""
    _NOTED.setdefault(connection, set()).update(users)


def noted(connection: AsyncConnection) -> frozenset[UUID]:
    """Whose journals they were."""
    return frozenset(_NOTED.get(connection, ()))


class Teller:
    """Of one event loop and database. `tell` returns at once."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: set[UUID] = set()
        self._telling: asyncio.Task[None] | None = None

    def tell(self, users: Iterable[UUID]) -> None:
        self._waiting.update(users)
        if self._waiting and (self._telling is None or self._telling.done()):
            self._telling = asyncio.get_running_loop().create_task(self._tell(), name="teller")

    async def close(self) -> None:
        """Return when all is told."""
        if self._telling is not None:
            await asyncio.wait((self._telling,))

    async def _tell(self) -> None:
        while self._waiting:
            users, self._waiting = self._waiting, set()
            try:
                async with self._engine.connect() as connection:
                    # One trip to the server, which is a transaction of its own.
                    alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await alone.execute(_TELL, {"channel": CHANNEL, "users": [str(each) for each in users]})
            except Exception as error:
                if (ours := faults.translated(error)) is None:
                    raise
                # Whoever listens looks for itself before long.
                _log.info("a notice was lost", extra={"error": str(ours)})
