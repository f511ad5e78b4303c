"""Whose access tokens have been ended, as each replica knows it: read every few seconds, and by no request.

A request waits for it only where what is known has become old, as in a replica that was just started or that nobody
asked anything for a while. While the database is away what was known last is gone by: a token that was ended meanwhile
then holds for what is left of its quarter of an hour.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from uuid import UUID

from omc.access.revocation import REACH, Revocation, Revocations
from omc.access.signer import Claims
from omc.errors import OmcError

logger = logging.getLogger("omc.http")

_EVERY, _OLD = timedelta(seconds=2), timedelta(seconds=4)
_PATIENCE_S = 1.0


class Revoked:
    """Refuses tokens within five seconds of their being ended."""

    def __init__(self, revocations: Revocations) -> None:
        self._revocations = revocations
        self._known: dict[UUID, Revocation] = {}
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._reading: asyncio.Task[None] | None = None

    async def check(self, claims: Claims, now: datetime) -> None:
        """Unauthenticated for a token that was ended before its time."""
        if not _within(self._tried_at, now, _EVERY) and (self._reading is None or self._reading.done()):
            self._tried_at = now
            self._reading = asyncio.create_task(self._read(now), name="revocations")
        if not _within(self._read_at, now, _OLD) and self._reading is not None and not self._reading.done():
            await asyncio.wait((self._reading,), timeout=_PATIENCE_S)
        if known := self._known.get(claims.user_id):
            known.check(claims)

    async def _read(self, now: datetime) -> None:
        try:
            found = await self._revocations.changed_since(now - REACH)
        except OmcError as fault:
            logger.warning("whose tokens were ended is not known: %s", fault)
            return
        self._known = {each.user_id: each for each in found}
        self._read_at = now


def _within(since: datetime | None, now: datetime, reach: timedelta) -> bool:
    return since is not None and timedelta(0) <= now - since < reach
