"""What many ask of the database at the same moment, in one trip to it and one commit.

An order waits for the database three times. Ten orders that come with one bar, each in transactions of its own, would
flush the disk twenty times, one account's after each other, and ask some hundred questions. On a lane the first goes at
once, and whatever is asked meanwhile goes together as soon as that is back. Nobody waits to be joined by others.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg
import orjson

from omc.adapters.postgres import jsonb

_MOST = 100
_LOCK_MS = 250
"""What waits longer than that for a lock holds up the others: each is then asked for by itself."""
# By SQLSTATE or its class: the server gave up the connection, and perhaps what was asked.
_LOST = ("08", "57", "XX")

Ask = Mapping[str, Any]


class Astray(Exception):
    """Of what was asked together nothing was answered. `unsure` when it may have been done all the same; whoever asked
    asks by itself, and sees."""

    def __init__(self, unsure: bool) -> None:
        super().__init__("the lane gave no answer")
        self.unsure = unsure


class Lane:
    """Of one event loop and one statement, which takes an array of objects as jsonb, each numbered `at` from zero, and
    answers with rows that say `at`. It is one statement, hence one transaction: what of it is done is done together.
    Its connection is its own, and opened with the first question."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], statement: str) -> None:
        self._connect = connect
        self._statement = statement
        self._connection: asyncpg.Connection | None = None
        self._waiting: list[tuple[str, asyncio.Future[list[asyncpg.Record]]]] = []
        self._driving: asyncio.Task[None] | None = None

    async def ask(self, asked: Ask) -> list[asyncpg.Record]:
        """The rows of this question; none when the statement left it alone. InvalidInput when it cannot be written
        down, Astray when nothing was answered."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[asyncpg.Record]] = loop.create_future()
        self._waiting.append((jsonb.text(asked), answer))
        if self._driving is None or self._driving.done():
            self._driving = loop.create_task(self._drive(), name="lane")
        return await answer

    async def close(self) -> None:
        """Nobody may ask meanwhile."""
        if self._driving is not None:
            self._driving.cancel()
            await asyncio.wait((self._driving,))
        self._drop()

    async def _drive(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            # What nobody waits for any more is not done.
            batch = [each for each in batch if not each[1].done()]
            try:
                rows = await self._answered([text for text, _ in batch])
            except BaseException as fault:
                refused = isinstance(fault, asyncpg.PostgresError) and not _lost(fault)
                if not refused:
                    self._drop()
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(Astray(unsure=not refused))
                if not isinstance(fault, Exception):
                    raise
            else:
                for (_, answer), mine in zip(batch, rows, strict=True):
                    if not answer.done():
                        answer.set_result(mine)

    async def _answered(self, texts: Sequence[str]) -> list[list[asyncpg.Record]]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
            await self._connection.execute(f"SET lock_timeout = {_LOCK_MS}")
            await self._connection.set_type_codec("jsonb", encoder=str, decoder=orjson.loads, schema="pg_catalog")
        asked = ", ".join(f'{{"at": {at}, {text[1:]}' for at, text in enumerate(texts))
        answers: list[list[asyncpg.Record]] = [[] for _ in texts]
        for row in await self._connection.fetch(self._statement, f"[{asked}]"):
            answers[row["at"]].append(row)
        return answers

    def _drop(self) -> None:
        if self._connection is not None:
            # Whatever it was in the middle of is not waited for.
            with contextlib.suppress(Exception):
                self._connection.terminate()
            self._connection = None


def _lost(fault: asyncpg.PostgresError) -> bool:
    return str(getattr(fault, "sqlstate", None) or "XX").startswith(_LOST)
