"""What was known at the time: observations joined to rows by when they were seen, not by when they happened."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import FloatArray, TimeArray


@dataclass(frozen=True, slots=True)
class Observations:
    """N values of one series, (N,) each; times are datetime64[us] in UTC.

    What happened at `event_time` was published at `published_time` and could be acted on from `seen_time`. A later
    revision is another observation of the same event.
    """

    event_time: TimeArray
    published_time: TimeArray
    seen_time: TimeArray
    value: FloatArray

    def __post_init__(self) -> None:
        for name in ("published_time", "seen_time", "value"):
            if getattr(self, name).shape != self.event_time.shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, event_time {self.event_time.shape}")

    def __len__(self) -> int:
        return len(self.event_time)

    def where(self, kept: NDArray[np.bool_]) -> Self:
        """Those for which `kept`, (N,), is true."""
        return type(self)(self.event_time[kept], self.published_time[kept], self.seen_time[kept], self.value[kept])


def as_of(observations: Observations, times: TimeArray) -> FloatArray:
    """(T,) values that were known at each of `times`: of all that had been seen by then, the newest event's, in its
    newest revision. NaN before anything was seen.

    A revision of an older event that comes in late does not hide a newer event. Revisions seen at the same moment are
    in the order of their publication, and then in the order given.
    """
    if not len(observations):
        return np.full(len(times), np.nan)
    seen, published = observations.seen_time, observations.published_time
    arrival = np.lexsort((published, observations.event_time, seen))
    # How new each is: by event, then by revision.
    newness = np.empty(len(observations), np.int64)
    newness[np.lexsort((published, seen, observations.event_time))] = np.arange(len(observations))
    newest = np.maximum.accumulate(newness[arrival])
    best = np.argsort(newness)[newest]
    at = np.searchsorted(seen[arrival], times, "right") - 1
    return np.where(at >= 0, observations.value[best[np.maximum(at, 0)]], np.nan)
