"""The handle that every store shares: where the database's address is, and transactions in it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from omc.adapters.postgres import dsn, faults, teller
from omc.adapters.postgres.lane import Lane
from omc.adapters.postgres.teller import Teller
from omc.errors import OutcomeUnknown, Unavailable

_WRITER = text("SELECT pg_current_xact_id_if_assigned()")
_STATUS = text("SELECT pg_xact_status(CAST(CAST(:writer AS text) AS xid8))")
_PATIENCE_S = 20.0
_ENGINES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Path, AsyncEngine]] = WeakKeyDictionary()
_TELLERS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Path, Teller]] = WeakKeyDictionary()
_LANES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[Path, str], Lane]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Database:
    """Inert until used: it travels to an actor as the path of a file, and connects there.

    The address is read whenever a connection is made, so a server that comes back elsewhere is found again, and the
    password stands in no argument, representation or message.
    """

    dsn_file: Path

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end, rolled back when the block raises.

        When it raises, nothing of it happened. Unavailable when the database cannot be reached, is lost on the way or
        asks to try again; InvalidInput when a value does not fit its column. Only when the database was lost during
        the commit itself, and stays away for longer than we wait for its answer, it is OutcomeUnknown.
        """
        writer: int | None = None
        grown: frozenset[UUID] = frozenset()
        try:
            async with self._engine().begin() as connection:
                yield connection
                writer = (await connection.execute(_WRITER)).scalar_one()
                grown = teller.noted(connection)
        except Exception as error:
            if (ours := faults.translated(error)) is None:
                raise
            if writer is None or not isinstance(ours, Unavailable):
                raise ours from None
            if not await self._was_committed(writer):
                raise ours from None
        if grown:
            self.tell(grown)

    @asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncConnection]:
        """For statements that change nothing and need no common moment: each is one trip to the server, where a
        transaction takes four. Unavailable as in a transaction."""
        try:
            async with self._engine().connect() as connection:
                yield await connection.execution_options(isolation_level="AUTOCOMMIT")
        except Exception as error:
            if (ours := faults.translated(error)) is None:
                raise
            raise ours from None

    def lane(self, statement: str) -> Lane:
        """Where this statement is carried out for many at once."""
        lanes = _LANES.setdefault(asyncio.get_running_loop(), {})
        key = self.dsn_file, statement
        if key not in lanes:
            lanes[key] = Lane(lambda: _connect(self.dsn_file), statement)
        return lanes[key]

    def tell(self, users: Iterable[UUID]) -> None:
        """Say that their journals have grown. It does not wait."""
        self._teller().tell(users)

    async def _was_committed(self, writer: int) -> bool:
        """What became of a transaction whose commit was not answered: the database itself remembers."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while asyncio.get_running_loop().time() < deadline:
            try:
                async with self._engine().begin() as connection:
                    status = (await connection.execute(_STATUS, {"writer": str(writer)})).scalar_one()
                if status != "in progress":
                    return bool(status == "committed")
            except Exception as error:
                if faults.translated(error) is None:
                    raise
            await asyncio.sleep(0.1)
        raise OutcomeUnknown("the database was lost during a commit and did not come back to say what became of it")

    async def ping(self) -> None:
        """Return when the database answers; Unavailable when it does not."""
        async with self.transaction() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Close the connections that the running event loop holds; the next use opens new ones."""
        lanes = _LANES.get(asyncio.get_running_loop(), {})
        for key in [each for each in lanes if each[0] == self.dsn_file]:
            await lanes.pop(key).close()
        telling = _TELLERS.get(asyncio.get_running_loop(), {}).pop(self.dsn_file, None)
        if telling is not None:
            await telling.close()
        engine = _ENGINES.get(asyncio.get_running_loop(), {}).pop(self.dsn_file, None)
        if engine is not None:
            # A server that hangs does not answer a good-bye.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5.0):
                    await engine.dispose()

    def _teller(self) -> Teller:
        tellers = _TELLERS.setdefault(asyncio.get_running_loop(), {})
        if self.dsn_file not in tellers:
            tellers[self.dsn_file] = Teller(self._engine())
        return tellers[self.dsn_file]

    def _engine(self) -> AsyncEngine:
        # Connections belong to the event loop that opened them, so engines are kept by loop.
        engines = _ENGINES.setdefault(asyncio.get_running_loop(), {})
        if self.dsn_file not in engines:
            engines[self.dsn_file] = _engine_for(self.dsn_file)
        return engines[self.dsn_file]


async def connect(dsn_file: Path) -> asyncpg.Connection:
    """A plain connection, for what needs one of its own, such as LISTEN. Unavailable when there is none to have."""
    try:
        return await _connect(dsn_file)
    except Exception as error:
        if (ours := faults.translated(error)) is not None:
            raise ours from None
        raise


async def _connect(dsn_file: Path) -> asyncpg.Connection:
    connection = await asyncpg.connect(dsn.read(dsn_file), timeout=10, server_settings={"application_name": "omc"})
    # Plain ids: the driver's own kind would drag the driver along wherever a value travels.
    await connection.set_type_codec("uuid", encoder=str, decoder=UUID, schema="pg_catalog")
    return connection


def _engine_for(dsn_file: Path) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: _connect(dsn_file),
        # Every actor and replica has a pool of its own, and opens no more than it once needed at the same moment. Those
        # stay: in a crowd, to open what is closed again right away costs more than all that is asked.
        pool_size=10,
        max_overflow=0,
        pool_timeout=10,
        pool_use_lifo=True,
        hide_parameters=True,
        json_deserializer=orjson.loads,
    )
    event.listen(engine.sync_engine, "checkout", _still_open)
    return engine


def _still_open(connection: Any, _record: object, _holder: object) -> None:
    """A pooled connection whose server has closed it is not handed out, and neither are those that were opened before
    it. The driver knows as soon as it happens: to ask the server each time takes three trips."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
