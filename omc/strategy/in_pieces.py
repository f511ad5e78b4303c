"""Decisions on prices that are handed over piece by piece, so that no decision can know what comes after its piece.

A sandbox that is asked about a whole frame has the future in its memory, and code may look there. Asked in pieces, it
has not been told yet: what it decides then must be what it decided at once, to the bit, or it did not decide honestly.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.strategy.algorithm import Algorithm

_LEAST = 256
_MOST_NAMED = 5


def decide_in_pieces(
    algorithm: Algorithm,
    frame: Frame,
    piece_bars: int | None = None,
    *,
    pieces: Iterable[tuple[int, int]] | None = None,
) -> FloatArray:
    """(T, C) weights, each row decided on the `memory_bars` rows up to it and on at most `piece_bars` - 1 after it.

    `algorithm` must not have met the rest of the frame before: give it a process of its own. Without `piece_bars`, a
    piece is as long as the memory, so that it takes about twice as long as at once. With `pieces`, first rows and those
    after the last, only these are decided.
    """
    memory_bars = max(1, algorithm.memory_bars)
    length = max(memory_bars, _LEAST) if piece_bars is None else piece_bars
    if length < 1:
        raise InvalidInput(f"pieces of {length} bars have no bar")
    weights = np.zeros(frame.last.shape)
    for first, stop in _pieces(len(frame), length) if pieces is None else pieces:
        begin = max(0, first - memory_bars + 1)
        weights[first:stop] = algorithm.predict(frame.rows(begin, stop))[first - begin :]
    return weights


def changed_rows(again: FloatArray, weights: FloatArray) -> NDArray[np.int64]:
    """Rows in which a bit differs."""
    bits = (np.ascontiguousarray(each).view(np.int64) for each in (again, weights))
    return np.flatnonzero(np.not_equal(*bits).any(axis=1))


def named(frame: Frame, changed: NDArray[np.int64]) -> str:
    """What is wrong with decisions that changed."""
    some = ", ".join(f"{frame.time(int(row)):%Y-%m-%d %H:%M}" for row in changed[:_MOST_NAMED])
    more = f" and {len(changed) - _MOST_NAMED:,} more" if len(changed) > _MOST_NAMED else ""
    return (
        f"the decision of {some}{more} is another when later prices are not there yet: it looks ahead, looks back "
        "further than its memory_bars, or is not the same each time"
    )


def _pieces(rows: int, length: int) -> Iterator[tuple[int, int]]:
    for first in range(0, rows, length):
        yield first, min(first + length, rows)
