"""Where to cut the future off, so that peeking shows if it shows anywhere: what peeks rarely peeks where it pays."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from omc.feature.as_of import Observations
from omc.feature.frame import Frame

Rows = NDArray[np.int64]


def choose(
    frame: Frame,
    observations: Mapping[str, Observations],
    turns: Iterable[Rows],
    count: int,
    generator: np.random.Generator,
) -> list[int]:
    """Rows of `frame` from which on the future is changed, from 1 to before the last, rising: one in each of `count`
    stretches of time, and the last row. Besides, as far as there are any, as many again where something is missing or
    comes late; half as many around the largest moves; and a few after `turns`, rows in which a stream of decisions
    changed, one array a stream: a quarter as many together, and four at least of each."""
    rows = len(frame)
    if rows < 2:
        return []
    edges = np.linspace(1, rows, count + 1).astype(int)
    spread = [int(generator.integers(a, max(b, a + 1))) for a, b in pairwise(edges.tolist())]
    changed = list(turns)
    kinds = [(_missing_or_late(frame, observations), count), (_moves(frame, count // 4), count // 2)]
    kinds += [(each + 1, max(4, count // 4 // len(changed))) for each in changed]
    chosen = [np.array([*spread, rows - 1], np.int64)]
    for found, most in kinds:
        found = np.unique(found[(found > 0) & (found < rows)])
        chosen.append(generator.choice(found, most, replace=False) if len(found) > most else found)
    return sorted({min(cut, rows - 1) for cut in np.concatenate(chosen).tolist()})


def _missing_or_late(frame: Frame, observations: Mapping[str, Observations]) -> Rows:
    """Rows at which a gap in the prices begins or ends, rows stop coming, a day begins, or before which an observation
    was published that is seen only then or later."""
    gone = np.isnan(frame.last)
    steps, days = np.diff(frame.times), frame.times.astype("datetime64[D]")
    found = [
        np.flatnonzero((gone[:-1] != gone[1:]).any(axis=1)) + 1,
        np.flatnonzero(steps != np.median(steps)) + 1,
        np.flatnonzero(days[:-1] != days[1:]) + 1,
    ]
    for series in observations.values():
        for earlier in (series.event_time, series.published_time):
            late = earlier < series.seen_time
            found.append(np.searchsorted(frame.times, series.seen_time[late]))
            found.append(np.searchsorted(frame.times, earlier[late]) + 1)
    return np.concatenate(found)


def _moves(frame: Frame, count: int) -> Rows:
    """Rows of the largest moves of a price, and the rows after them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.abs(np.diff(frame.last, axis=0) / frame.last[:-1])
    largest = np.nan_to_num(moves, nan=0.0, posinf=0.0).max(axis=1, initial=0.0)
    rows = np.argsort(-largest, kind="stable")[:count]
    rows = rows[largest[rows] > 0] + 1
    return np.concatenate([rows, rows + 1])
