"""Leaving a venue alone for as long as it asks: HTTP's Retry-After (RFC 9110, 10.2.3)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from omc.errors import RateLimited

LONGEST_S: Final = 300.0
"""No venue is left alone for longer: what asks for more is a mistake."""
SHORT_S: Final = 2.0
"""So short a pause is waited for; of a longer one whoever asks is told."""


def asked_pause_s(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks for, by its Retry-After; None when it asks for none, or nobody can read it.

    A date is measured by the answer's own date, so that no clock of ours is needed.
    """
    said = {name.lower(): value.strip() for name, value in headers.items()}
    wanted = said.get("retry-after", "")
    if wanted.isascii() and wanted.isdigit():
        return min(float(wanted), LONGEST_S)
    try:
        pause = parsedate_to_datetime(wanted) - parsedate_to_datetime(said.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(pause.total_seconds(), 0.0), LONGEST_S)


@dataclass(slots=True)
class Holdoff:
    """Times are the running loop's."""

    until_s: float = 0.0

    def asked(self, pause_s: float | None) -> None:
        """The venue asked for a pause, or answered without one."""
        if pause_s:
            self.until_s = max(self.until_s, asyncio.get_running_loop().time() + pause_s)

    async def over(self, path: str) -> None:
        """Return when the venue may be asked again. RateLimited, at once, when that takes long."""
        left = self.until_s - asyncio.get_running_loop().time()
        if left > SHORT_S:
            raise RateLimited(f"{path}: the venue wants to be left alone for {left:.0f} s more")
        if left > 0:
            await asyncio.sleep(left)
