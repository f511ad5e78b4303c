"""What a tape brings into the history, coin by coin: how much of it there is, and what is missing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from omc.feature.frame import Frame
from omc.ledger.exchange import BAR


@dataclass(frozen=True, slots=True)
class Presence:
    """One coin on a five-minute grid. A gap is a run of bars without a quote between the first and the last."""

    coin: str
    bars: int
    first: str
    last: str
    gaps: int
    longest_gap: timedelta

    @property
    def row(self) -> dict[str, Any]:
        return {**asdict(self), "longest_gap": int(self.longest_gap.total_seconds())}


def presence(frame: Frame) -> Iterator[Presence]:
    """Each coin that is quoted at all."""
    for column, coin in enumerate(frame.coins):
        times = frame.times[~np.isnan(frame.bid[:, column])]
        if not len(times):
            continue
        missing = (np.diff(times) // np.timedelta64(BAR)) - 1
        yield Presence(
            coin=coin,
            bars=len(times),
            first=rfc3339(times[0]),
            last=rfc3339(times[-1]),
            gaps=int((missing > 0).sum()),
            longest_gap=BAR * int(missing.max(initial=0)),
        )


def rfc3339(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, unit='s')}Z"
