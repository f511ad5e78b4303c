"""Entries of the audit trail that nothing waits for: a halt is carried out whether or not it can be put on record, and
what came of a request that was answered is written though the database should be away by then.

They are written in their order as soon as the database takes them, for as long as the replica lives. When it does not
live that long, its log has the request, and the halt itself says when it was asked for and why.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from omc.errors import OmcError, Unavailable

logger = logging.getLogger("omc.http")

Write = Callable[[], Awaitable[object]]
_AGAIN_S = 2.0
_PATIENCE_S = 0.25
# Nobody's flood of stops keeps the others' from being put on record.
_MOST, _MOST_EACH = 2_000, 200


@dataclass(slots=True)
class Arrears:
    """What one replica has yet to write. One entry is written at a time, so that a database that hangs holds one
    connection."""

    again_s: float = _AGAIN_S
    most_each: int = _MOST_EACH
    """Of one account."""
    _due: deque[tuple[UUID, Write, asyncio.Event]] = field(default_factory=deque)
    _owed: Counter[UUID] = field(default_factory=Counter)
    _writing: asyncio.Task[None] | None = None

    async def owe(self, account: UUID, write: Write) -> None:
        """Have it written, and return once it is or a moment has passed."""
        if len(self._due) >= _MOST or self._owed[account] >= self.most_each:
            logger.error("an entry of account %s is not written: %d are waiting already", account, len(self._due))
            return
        written = asyncio.Event()
        self._due.append((account, write, written))
        self._owed[account] += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="audit arrears")
        waiting = asyncio.ensure_future(written.wait())
        await asyncio.wait((waiting,), timeout=_PATIENCE_S)
        waiting.cancel()

    async def settle(self, account: UUID, write: Write, within_s: float) -> None:
        """Write it now, and owe it where that cannot be done in time. Raises what is no lack of a database."""
        begun = asyncio.ensure_future(write())
        await asyncio.wait((begun,), timeout=within_s)
        if not (begun.done() and not isinstance(begun.exception(), Unavailable)):
            await self.owe(account, _Begun(begun, write))
        else:
            await begun

    async def _write(self) -> None:
        told = False
        while self._due:
            account, write, written = self._due[0]
            try:
                await write()
            except Unavailable as fault:
                if not told:
                    told = True
                    logger.warning("an entry of the audit trail is not written yet, and will be: %s", fault)
                await asyncio.sleep(self.again_s)
                continue
            except OmcError as fault:
                logger.error("an entry of account %s is not on record: %s", account, fault)  # noqa: TRY400  says all
            except Exception:
                # It would stand in the way of all others for ever.
                logger.exception("an entry of account %s is not on record", account)
            self._due.popleft()
            self._owed -= Counter([account])
            written.set()


@dataclass(slots=True)
class _Begun:
    """Something that is being written already: what may have been written must not be written twice."""

    begun: asyncio.Future[object] | None
    write: Write

    async def __call__(self) -> object:
        begun, self.begun = self.begun, None
        return await (self.write() if begun is None else begun)
