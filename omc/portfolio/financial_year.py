"""The Australian financial year: from 1 July to 30 June, by the calendar of whoever is taxed."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from omc.errors import InvalidInput

_NAMED = re.compile(r"(20[0-9]{2})-(?:20)?([0-9]{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FinancialYear:
    """It is named after both years that it lies in: 2025-26."""

    first: int

    @classmethod
    def named(cls, text: str) -> Self:
        """InvalidInput for what names none."""
        found = _NAMED.fullmatch(text)
        if found is None or (int(found[1]) + 1) % 100 != int(found[2]):
            raise InvalidInput(f"{text!r} is no financial year such as 2025-26")
        return cls(int(found[1]))

    @classmethod
    def of(cls, instant: datetime, zone: ZoneInfo) -> Self:
        local = instant.astimezone(zone)
        return cls(local.year if local.month >= _JULY else local.year - 1)

    def __str__(self) -> str:
        return f"{self.first}-{(self.first + 1) % 100:02d}"

    def start(self, zone: ZoneInfo) -> datetime:
        return datetime(self.first, _JULY, 1, tzinfo=zone)

    def end(self, zone: ZoneInfo) -> datetime:
        """The first moment after it."""
        return datetime(self.first + 1, _JULY, 1, tzinfo=zone)


_JULY = 7
