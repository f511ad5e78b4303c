"""Entries of the audit trail that nothing waits for: a halt is carried out whether or not it can be put on record.

They are written in their order as soon as the database takes them, for as long as the replica lives. When it does not
live that long, its log has the request, and the halt itself says when it was asked for and why.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from omc.errors import OmcError, Unavailable

logger = logging.getLogger("omc.http")

_AGAIN_S = 2.0
_PATIENCE_S = 0.25
_MOST = 1_000


@dataclass(slots=True)
class Arrears:
    """What one replica has yet to write. One entry is written at a time, so that a database that hangs holds one
    connection."""

    again_s: float = _AGAIN_S
    _due: deque[tuple[Callable[[], Awaitable[object]], asyncio.Event]] = field(default_factory=deque)
    _writing: asyncio.Task[None] | None = None

    async def owe(self, write: Callable[[], Awaitable[object]]) -> None:
        """Have it written, and return once it is or a moment has passed."""
        if len(self._due) >= _MOST:
            logger.error("an entry of the audit trail is not written: %d are waiting already", _MOST)
            return
        written = asyncio.Event()
        self._due.append((write, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="audit arrears")
        waiting = asyncio.ensure_future(written.wait())
        await asyncio.wait((waiting,), timeout=_PATIENCE_S)
        waiting.cancel()

    async def _write(self) -> None:
        told = False
        while self._due:
            write, written = self._due[0]
            try:
                await write()
            except Unavailable as fault:
                if not told:
                    told = True
                    logger.warning("a halt is not on record yet, and will be: %s", fault)
                await asyncio.sleep(self.again_s)
                continue
            except OmcError as fault:
                logger.error("a halt is not on record: %s", fault)  # noqa: TRY400  the fault's sentence says all
            self._due.popleft()
            written.set()
