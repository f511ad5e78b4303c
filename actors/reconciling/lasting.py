"""How long something has been so."""

import asyncio
from collections.abc import Iterable


class Lasting:
    """Remembers when each thing was first told, for as long as it is told each time."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def of(self, things: Iterable[str]) -> dict[str, float]:
        """Seconds since each was first told, by the running loop's time; the rest is forgotten."""
        now = asyncio.get_running_loop().time()
        self._since = {each: self._since.get(each, now) for each in things}
        return {each: now - since for each, since in self._since.items()}
