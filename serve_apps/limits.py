"""How fast the platform lets itself be asked, also while nobody keeps the count for all replicas."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from omc.access.rate import Charge, MemoryRates, Rate, RateStore, Verdict, microseconds
from omc.access.refused import Refused
from omc.errors import OmcError, Unavailable

logger = logging.getLogger("omc.http")

_ALONE_S = 2.0
_FORGET_EVERY_S = 600.0
_START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AskingLimits:
    """Who may ask how often, and where that is counted."""

    store: RateStore
    account: Rate = field(default=Rate(6_000, 600))
    token: Rate = field(default=Rate(3_000, 300))
    """Of each token that was made for a program. A session is its account."""
    address: Rate = field(default=Rate(12_000, 1_200))
    register: Rate = field(default=Rate(10, 30))
    """New accounts from one address, besides: each has limits of its own, and costs a password's hashing."""
    stop: Rate = field(default=Rate(600, 100))
    """Of an account that stops everything or lets it go on, which is never held up by what else it has asked."""


class Uptime:
    """A Clock that nobody sets."""

    def now(self) -> datetime:
        return _START + timedelta(microseconds=time.monotonic_ns() // 1000)


class Limiter:
    """Asks the store, but not about those who are known to have no room; and counts for itself while the store is away,
    because a limit that locks everybody out is worse than one that each replica keeps by itself."""

    def __init__(self, store: RateStore) -> None:
        self._store = store
        self._clock = Uptime()
        self._refused = Refused()
        self._alone = MemoryRates(self._clock)
        self._alone_until_us = 0
        self._is_alone = False
        self._forget_at_us = microseconds(self._clock.now()) + int(_FORGET_EVERY_S * 1e6)
        self._forgetting: asyncio.Task[None] | None = None

    async def take(self, charges: Sequence[Charge], within_s: float) -> Verdict:
        """The verdict on one request; by this replica's own count, where the store says nothing within that time."""
        now_us = microseconds(self._clock.now())
        known = self._refused.still((each.key for each in charges), now_us)
        if known is not None:
            return Verdict(False, (known,))
        verdict = await self._asked(charges, now_us, within_s)
        self._refused.note(verdict, now_us)
        return verdict

    def suspects(self, key: str) -> bool:
        """Whether a key was refused within the last minute."""
        return self._refused.lately(key, microseconds(self._clock.now()))

    async def _asked(self, charges: Sequence[Charge], now_us: int, within_s: float) -> Verdict:
        if now_us < self._alone_until_us:
            return await self._alone.take(charges)
        try:
            async with asyncio.timeout(within_s):
                verdict = await self._store.take(charges)
        except (Unavailable, TimeoutError):
            self._alone_until_us = now_us + int(_ALONE_S * 1e6)
            if not self._is_alone:
                self._is_alone = True
                logger.warning("the database does not count requests: each replica limits them by itself")
            return await self._alone.take(charges)
        if self._is_alone:
            self._is_alone = False
            logger.warning("the database counts requests again, for all replicas together")
        if now_us >= self._forget_at_us:
            self._forget_at_us = now_us + int(_FORGET_EVERY_S * 1e6)
            self._forgetting = asyncio.create_task(self._forget(), name="forget rates")
        return verdict

    async def _forget(self) -> None:
        try:
            await self._store.forget()
        except OmcError as fault:
            logger.warning("who has asked for nothing lately was not forgotten: %s", fault)
