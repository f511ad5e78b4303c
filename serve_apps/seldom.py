"""What is told once in a while, however often it happens: nobody fills a record by doing the same thing again."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(slots=True)
class Seldom:
    """By what it is about. The oldest is forgotten rather than too many are kept."""

    every: timedelta
    most: int = 10_000
    _told: OrderedDict[UUID, datetime] = field(default_factory=OrderedDict)

    def tells(self, about: UUID, now: datetime) -> bool:
        """Whether it is to be told now; whoever asks does so."""
        told = self._told.get(about)
        if told is not None and timedelta(0) <= now - told < self.every:
            return False
        self._told[about] = now
        self._told.move_to_end(about)
        if len(self._told) > self.most:
            self._told.popitem(last=False)
        return True
