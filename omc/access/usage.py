"""The ledger of processor time: what each user has used on each day of UTC."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Protocol
from uuid import UUID

from omc.clock import utc
from omc.errors import InvalidInput

KEPT = timedelta(days=92)
"""How long a day stays in the ledger: for whoever asks where the time went, not for the quota."""


class UsageLedger(Protocol):
    async def charge(self, user_id: UUID, cpu_s: float, at: datetime) -> float:
        """Add seconds to the day of `at`; what is used of that day now. However many charge at once, all of it is
        added. InvalidInput for seconds that are negative or not finite; NotFound for a user who is gone."""
        ...

    async def used(self, user_id: UUID, day: date) -> float:
        """Seconds; 0 for a day that nothing is known of."""
        ...


@dataclass(slots=True)
class MemoryUsageLedger:
    """A UsageLedger that lives and dies with the process, and takes everybody for a user."""

    kept: dict[tuple[UUID, date], float] = field(default_factory=dict)

    async def charge(self, user_id: UUID, cpu_s: float, at: datetime) -> float:
        check_charge(cpu_s)
        today = utc(at).date()
        for key in [(who, day) for who, day in self.kept if who == user_id and day < today - KEPT]:
            del self.kept[key]
        self.kept[user_id, today] = self.kept.get((user_id, today), 0.0) + cpu_s
        return self.kept[user_id, today]

    async def used(self, user_id: UUID, day: date) -> float:
        return self.kept.get((user_id, day), 0.0)


def check_charge(cpu_s: float) -> None:
    if not (isfinite(cpu_s) and cpu_s >= 0):
        raise InvalidInput(f"{cpu_s} seconds of processor time cannot be charged")
