"""A catalyst that becomes known: on the first bar at or after it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import Frame, as_datetime64
from omc.ledger.catalyst import LONGEST_TYPE, PRIORITIES, Catalyst
from omc.strategy.crossing import BoolArray


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the catalyst ledger: of one type (any, when empty), about one coin (or the whole market, or any coin
    when empty), at least so urgent. One that becomes known between two bars fires on the later, and only there."""

    type: str = ""
    coin: str = ""
    priority: str = PRIORITIES[0]

    def __post_init__(self) -> None:
        if self.priority not in PRIORITIES:
            raise InvalidInput(f"a catalyst's priority is {', '.join(PRIORITIES)}, not {self.priority[:80]!r}")
        if len(self.type) > LONGEST_TYPE or (self.type and not self.type.isprintable()):
            raise InvalidInput(f"a catalyst's type is a line of at most {LONGEST_TYPE} characters")

    @property
    def bars(self) -> int:
        return 2

    def fires(self, frame: Frame, events: tuple[Catalyst, ...] = ()) -> BoolArray:
        fired = np.zeros(len(frame), np.bool_)
        seen = [as_datetime64(each.seen_time) for each in events if self.matches(each)]
        rows = np.searchsorted(frame.times, np.array(seen, "datetime64[us]"), "left")
        fired[rows[(rows > 0) & (rows < len(frame))]] = True
        return fired

    def matches(self, event: Catalyst) -> bool:
        urgent = PRIORITIES.index(event.priority) >= PRIORITIES.index(self.priority)
        about = not self.coin or not event.coins or self.coin in event.coins
        return urgent and about and self.type in ("", event.type)

    def told(self) -> dict[str, Any]:
        return {"on": "catalyst", "type": self.type, "coin": self.coin, "priority": self.priority}

    def __str__(self) -> str:
        what = f"{self.type or 'a catalyst'}" + (f" about {self.coin}" if self.coin else "")
        return what if self.priority == PRIORITIES[0] else f"{what} (at least {self.priority})"
