"""When an algorithm is asked: on every bar, or only on those that something fires on; between them its targets stay.

A trigger looks at its newest `bars`, and at the catalysts that became known by then, and at nothing else: so a trader
that sees so many asks on the bars that a backtest of the whole history asks on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame, as_datetime64
from omc.ledger.catalyst import Catalyst
from omc.strategy.crossing import BoolArray
from omc.strategy.crossing import Crossing as Crossing
from omc.strategy.crossing import Direction as Direction
from omc.strategy.crossing import Strayed as Strayed
from omc.strategy.happening import Happening as Happening

MOST = 10
_DAY_S = 86_400
_MOST_TITLES, _LONGEST_TITLE = 3, 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Trigger(Protocol):
    @property
    def bars(self) -> int:
        """How many rows, the last included, tell whether it fires on that."""
        ...

    def fires(self, frame: Frame, events: tuple[Catalyst, ...] = ()) -> BoolArray:
        """(T,): on which rows, `events` being all that became known after the first. The first row has none before it,
        and fires nothing."""
        ...

    def told(self) -> dict[str, Any]:
        """As `of` reads it."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """The first bar of each such stretch of time, counted from midnight UTC."""

    seconds: int

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= _DAY_S or _DAY_S % self.seconds:
            raise InvalidInput(f"a schedule's seconds must be a part of a day, not {self.seconds}")

    @property
    def bars(self) -> int:
        return 2

    def fires(self, frame: Frame, events: tuple[Catalyst, ...] = ()) -> BoolArray:
        fired = np.zeros(len(frame), np.bool_)
        stretch = (frame.times - as_datetime64(_EPOCH)) // np.timedelta64(self.seconds, "s")
        fired[1:] = stretch[1:] != stretch[:-1]
        return fired

    def told(self) -> dict[str, Any]:
        return {"on": "schedule", "every_s": self.seconds}

    def __str__(self) -> str:
        return f"every {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Daily:
    """The first bar at or after a time of each day, where its zone's clocks are."""

    at: time
    zone: str = "UTC"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ValueError, OSError, KeyError):
            raise InvalidInput(f"{self.zone!r} is no time zone such as Australia/Sydney") from None

    @property
    def bars(self) -> int:
        return 2

    def fires(self, frame: Frame, events: tuple[Catalyst, ...] = ()) -> BoolArray:
        days = np.array([self._days(frame.time(row)) for row in range(len(frame))], np.int64)
        fired = np.zeros(len(frame), np.bool_)
        fired[1:] = days[1:] > days[:-1]
        return fired

    def _days(self, instant: datetime) -> int:
        """How many of these times have come until then."""
        local = instant.astimezone(ZoneInfo(self.zone))
        return local.toordinal() - (local.time() < self.at)

    def told(self) -> dict[str, Any]:
        return {"on": "schedule", "at": f"{self.at:%H:%M}", "zone": self.zone}

    def __str__(self) -> str:
        return f"at {self.at:%H:%M} in {self.zone}"


Triggers = tuple[Trigger, ...]
"""Any of them; without any, every bar is asked on."""


def bars_of(triggers: Triggers) -> int:
    """How many rows tell whether anything fires on the last of them."""
    return max((trigger.bars for trigger in triggers), default=1)


def follow_catalysts(triggers: Triggers) -> bool:
    """Whether any looks at the catalyst ledger."""
    return any(isinstance(trigger, Happening) for trigger in triggers)


def fired(triggers: Triggers, frame: Frame, events: tuple[Catalyst, ...] = ()) -> BoolArray:
    """(T,): on which rows the algorithm is asked."""
    if not triggers:
        return np.ones(len(frame), np.bool_)
    asked: BoolArray = np.logical_or.reduce([trigger.fires(frame, events) for trigger in triggers])
    return asked


def why(triggers: Triggers, frame: Frame, events: tuple[Catalyst, ...] = ()) -> str:
    """What fired on the last row, in words, with the titles of the catalysts; empty when nothing did."""
    if not triggers:
        return "the bar closed"
    return ", ".join(_said(trigger, frame, events) for trigger in triggers if trigger.fires(frame, events)[-1])


def _said(trigger: Trigger, frame: Frame, events: tuple[Catalyst, ...]) -> str:
    if not isinstance(trigger, Happening):
        return str(trigger)
    titles = [each.title for each in events if trigger.matches(each) and trigger.fires(frame, (each,))[-1]]
    return f"{trigger}: " + "; ".join(title[:_LONGEST_TITLE] for title in titles[:_MOST_TITLES])


def held(weights: FloatArray, asked: BoolArray) -> FloatArray:
    """(T, C) weights of which only those of `asked` rows were ever decided: each stays until the next, and before the
    first nothing is wanted."""
    rows = np.maximum.accumulate(np.where(asked, np.arange(len(asked)), -1))
    return np.where((rows < 0)[:, None], 0.0, weights[np.maximum(rows, 0)])


def check_coins(triggers: Triggers, coins: Sequence[str]) -> None:
    """InvalidInput for a trigger that looks at a coin which is none of these."""
    for trigger in triggers:
        coin = getattr(trigger, "coin", "")
        if coin and coin not in coins:
            raise InvalidInput(f"a trigger looks at {coin}, which is none of {', '.join(coins)}")


def triggers_of(told: Sequence[Mapping[str, Any]]) -> Triggers:
    """InvalidInput for what is no trigger."""
    if len(told) > MOST:
        raise InvalidInput(f"at most {MOST} triggers, not {len(told)}")
    return tuple(_one(each) for each in told)


def _one(told: Mapping[str, Any]) -> Trigger:
    try:
        match dict(told):
            case {"on": "price", "coin": coin, "level_aud": level, **rest} if not rest.keys() - {"direction"}:
                return Crossing(str(coin), float(level), Direction(rest.get("direction", "either")))
            case {"on": "price", "coin": coin, "percent": percent, "mean_bars": int(bars), **rest} if (
                not rest.keys() - {"direction"}
            ):
                return Strayed(str(coin), float(percent), bars, Direction(rest.get("direction", "either")))
            case {"on": "catalyst", **rest} if not rest.keys() - {"type", "coin", "priority"}:
                return Happening(**{name: str(value) for name, value in rest.items()})
            case {"on": "schedule", "every_s": int(seconds), **rest} if not rest:
                return Every(seconds)
            case {"on": "schedule", "at": str(at), **rest} if not rest.keys() - {"zone"}:
                return Daily(time.fromisoformat(at), str(rest.get("zone", "UTC")))
    except (ValueError, TypeError) as fault:
        raise InvalidInput(f"trigger {dict(told)}: {fault}") from None
    raise InvalidInput(f"{dict(told)} is no trigger: see the page on triggers")
