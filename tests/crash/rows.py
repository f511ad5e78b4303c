"""The platform's database as somebody else sees it: rows that are looked at, and rows that are locked from outside."""

import contextlib
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.abc import Query

from omc.adapters.postgres import dsn
from omc.errors import Unavailable
from tests.crash.waiting import LONG_S

_BLOCKED = "SELECT query FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"


class Lock:
    """Rows that nobody else changes, or holds, until it is let go."""

    def __init__(self, rows: "Rows", connection: psycopg.Connection[Any]) -> None:
        self._rows = rows
        self._connection = connection
        self._pid = connection.info.backend_pid

    def waited_for(self, word: str) -> bool:
        """Whether somebody waits for it with a statement that holds `word`."""
        return any(word in query for (query,) in self._rows.ask(_BLOCKED, self._pid))

    def let_go(self) -> None:
        # Its server may have been the one that was killed.
        with contextlib.suppress(psycopg.Error):
            self._connection.rollback()
        self._connection.close()


class Rows:
    def __init__(self, home: Path) -> None:
        self._file = home / "run" / "database.dsn"

    def ask(self, query: Query, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of one statement, asked again while there is no server."""
        deadline = time.monotonic() + LONG_S
        while True:
            try:
                with psycopg.connect(dsn.read(self._file), autocommit=True, connect_timeout=5) as connection:
                    return connection.execute(query, values).fetchall()
            except (psycopg.OperationalError, Unavailable, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def one(self, query: Query, *values: Any) -> Any:
        """The first column of the first row; None without any."""
        found = self.ask(query, *values)
        return found[0][0] if found else None

    def lock(self, query: Query, *values: Any) -> Lock | None:
        """Hold what `query` selects for update; None when there is nothing."""
        connection = psycopg.connect(dsn.read(self._file), connect_timeout=5)
        lock = Lock(self, connection)
        if not connection.execute(query, values).fetchall():
            lock.let_go()
            return None
        return lock
