"""What a sweep computes, charged to its owner while it goes on."""

import logging
import time

from omc.access.quota import Allowance
from omc.access.usage import UsageLedger
from omc.backtest.sweep import Sweep
from omc.clock import Clock
from omc.errors import NotFound, OmcError

logger = logging.getLogger("omc.sweep")
# What code may take for one answer, and therefore what a batch that is broken off may owe without having said so.
_MOST_BROKEN_OFF_S = 60.0


class SweepCharge:
    """Told of CPU seconds, it answers with the sentence that ends the sweep when its owner has no more of them today.

    While the ledger is away the sweep goes on, and owes. Several may call it at once.
    """

    def __init__(self, sweep: Sweep, usage: UsageLedger, allowance: Allowance, clock: Clock) -> None:
        self._sweep, self._usage, self._allowance, self._clock = sweep, usage, allowance, clock
        self._owed_s = 0.0
        self._told_at = time.monotonic()

    async def __call__(self, cpu_s: float) -> str | None:
        self._told_at = time.monotonic()
        paying_s, self._owed_s = self._owed_s + cpu_s, 0.0
        now = self._clock.now()
        try:
            used_s = await self._usage.charge(self._sweep.user_id, paying_s, now)
        except NotFound as gone:
            return f"it belongs to nobody: {gone}"
        except OmcError as fault:
            self._owed_s += paying_s
            logger.warning("sweep %s owes %.1f CPU seconds: %s", self._sweep.id, self._owed_s, fault)
            return None
        said = self._allowance.used_up(used_s, now)
        return said and f"{said}; resume it then, and it goes on where it stopped"

    async def broken_off(self) -> None:
        """Its batches end now, and nobody tells what they took: as much is charged as one core could have given since,
        within bounds. Or else a search that is cancelled time and again would cost nothing."""
        await self(min(time.monotonic() - self._told_at, _MOST_BROKEN_OFF_S))
