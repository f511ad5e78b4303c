"""Price rows from a frame and back: a cell of the frame that has a quote is a row."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omc.adapters.postgres import pgcopy
from omc.feature.frame import Frame, TimeArray
from omc.ledger.exchange import BAR, quoted

_CHUNK_CELLS = 262_144
_BAR_US = int(BAR.total_seconds() * 1_000_000)


def chunks(frame: Frame) -> Iterator[tuple[int, int]]:
    """Rows from and to (exclusive) that are stored together: bounded memory, and progress that survives a crash."""
    step = max(1, _CHUNK_CELLS // max(1, len(frame.coins)))
    for start in range(0, len(frame), step):
        yield start, min(start + step, len(frame))


def of(frame: Frame) -> NDArray[Any]:
    """The frame's quotes as `pgcopy.ROW`s, in the order of coin name and time; `coin` is the frame's column."""
    by_name = np.argsort(np.array(frame.coins))
    place, row = np.nonzero(quoted(frame).T[by_name])
    column = by_name[place]
    rows = np.empty(len(row), pgcopy.ROW)
    rows["coin"] = column
    rows["time"] = frame.times[row]
    for name in ("bid", "ask", "last"):
        rows[name] = getattr(frame, name)[row, column]
    return rows


def months(rows: NDArray[Any]) -> list[date]:
    """The first day of every month that the rows lie in."""
    return [each.astype(object) for each in np.unique(rows["time"].astype("M8[M]")).astype("M8[D]")]


def frame(coins: Sequence[str], parts: Sequence[NDArray[Any]]) -> Frame:
    """Decoded rows in any order as a frame whose columns are `coins`."""
    at = [pgcopy.times(part) for part in parts]
    times, places = _rows_of(np.concatenate(at) if at else np.empty(0, "M8[us]"))
    cells = {name: np.full(len(times) * len(coins), np.nan) for name in ("bid", "ask", "last")}
    begin = 0
    for part in parts:
        cell = places[begin : begin + len(part)] * len(coins) + part["coin"]
        for name, values in cells.items():
            values[cell] = part[name]
        begin += len(part)
    bid, ask, last = (cells[name].reshape(len(times), len(coins)) for name in ("bid", "ask", "last"))
    return Frame(times, tuple(coins), bid, ask, last)


def _rows_of(times: TimeArray) -> tuple[TimeArray, NDArray[np.int64]]:
    """The distinct times, rising, and the place of each of `times` among them."""
    if not len(times):
        return times, np.empty(0, np.int64)
    since = times.view("i8") - times.view("i8").min()
    bars, off = np.divmod(since, _BAR_US)
    if off.any() or bars.max() > 4 * len(times):
        distinct, places = np.unique(times, return_inverse=True)
        return distinct, places.astype(np.int64)
    # Whole bars, as stored data nearly always is, are counted instead of sorted.
    seen = np.zeros(int(bars.max()) + 1, np.bool_)
    seen[bars] = True
    first = times.view("i8").min()
    return (np.flatnonzero(seen) * _BAR_US + first).view("M8[us]"), (np.cumsum(seen) - 1)[bars]
