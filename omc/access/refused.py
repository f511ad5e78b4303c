"""Who was refused a moment ago, so that a flood is turned away without asking anybody.

Room only comes back with time: until the moment that a refusal named, asking again can have no other answer.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from omc.access.rate import Standing, Verdict

# Whoever asked too often within this time may be about to do it again.
_REMEMBERED_US = 60_000_000


@dataclass(slots=True)
class Refused:
    """Of the keys that were refused, how they stood and when; the oldest is forgotten rather than too many are kept."""

    most: int = 10_000
    _seen: OrderedDict[str, tuple[Standing, int]] = field(default_factory=OrderedDict)

    def note(self, verdict: Verdict, now_us: int) -> None:
        if verdict.allowed:
            return
        for standing in verdict.standings:
            if standing.wait_us:
                self._seen[standing.charge.key] = standing, now_us
                self._seen.move_to_end(standing.charge.key)
        while len(self._seen) > self.most:
            self._seen.popitem(last=False)

    def still(self, keys: Iterable[str], now_us: int) -> Standing | None:
        """How a key of these stands that must be refused yet; None when nothing is known against any."""
        for key in keys:
            if key in self._seen:
                standing, at_us = self._seen[key]
                now = Standing(standing.charge, max(standing.lag_us - (now_us - at_us), 0))
                if now.wait_us:
                    return now
        return None

    def lately(self, key: str, now_us: int) -> bool:
        """Whether it was refused within the last minute."""
        if key not in self._seen:
            return False
        standing, at_us = self._seen[key]
        if now_us - at_us <= max(standing.wait_us, _REMEMBERED_US):
            return True
        del self._seen[key]
        return False
