"""Whether an algorithm decides the same when it is not told everything at once.

Code that is asked about years of prices has all of them in its memory, and may look there for what comes next. So it is
asked again by pieces, in processes that have seen no row after theirs. A piece ends right after a decision that
changed, since that is where knowing the next price pays; the largest changes come first, and chance, which nobody can
foresee, chooses among the others.
"""

from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from omc.errors import Refused
from omc.feature.frame import FloatArray, Frame
from omc.promotion.gate import Figure
from omc.strategy.algorithm import Algorithm
from omc.strategy.in_pieces import changed_rows, decide_in_pieces, named

_EFFORT = 3.0
"""How many times the rows of the frame may be decided again for what the pieces must remember."""
_FEWEST, _MOST = 8, 1_000
_PROCESSES = 8
UNTRIED = Figure(None, "it was not tried")


def decided_in_pieces(make: Callable[[], Algorithm], frame: Frame, *, seed: int) -> Figure:
    """How many decisions are others in pieces, which should be none.

    `make` gives algorithms that have met nothing yet, and share nothing; `seed` is best told to nobody. What the
    algorithm raises when it is asked at once is raised; in pieces, there is no figure then.
    """
    if not len(frame):
        return UNTRIED
    with closing(make()) as knowing:
        memory_bars = max(1, knowing.memory_bars)
        weights = knowing.predict(frame)
    stops = _stops(weights, memory_bars, np.random.default_rng(seed))
    pieces = list(zip([0, *stops[:-1]], stops, strict=True))
    again = np.zeros_like(weights)
    try:
        for some in _shared_out(pieces):
            with closing(make()) as unknowing:
                first, stop = some[0][0], some[-1][1]
                again[first:stop] = decide_in_pieces(unknowing, frame, pieces=some)[first:stop]
    except Refused as reason:
        return Figure(None, f"asked about prices in {len(pieces):,} pieces, it fails: {reason}")
    changed = changed_rows(again, weights)
    if len(changed):
        return Figure(float(len(changed)), named(frame, changed))
    return Figure(0.0, f"{len(frame):,} decisions are the same in {len(pieces):,} pieces as at once")


def _stops(weights: FloatArray, memory_bars: int, generator: np.random.Generator) -> list[int]:
    """Where pieces end, rising; the last is the number of rows."""
    rows = len(weights)
    many = min(max(int(_EFFORT * rows / memory_bars), _FEWEST), _MOST, rows)
    moved = np.abs(np.diff(weights, axis=0)).sum(axis=1)
    # From the largest; equals in an order of chance.
    order = generator.permutation(len(moved))
    order = order[np.argsort(-moved[order], kind="stable")] + 1
    turns = order[: np.count_nonzero(moved)]
    chosen = _some(turns, many, generator)
    rest = np.setdiff1d(np.arange(rows), chosen)
    chosen = np.concatenate([chosen, generator.permutation(rest)[: many - len(chosen)]])
    return sorted({*(chosen + 1).tolist(), rows})


def _some(turns: NDArray[np.int64], many: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Half of `many` from the front, and half from anywhere behind."""
    if len(turns) <= many:
        return turns
    front = turns[: many // 2]
    return np.concatenate([front, generator.permutation(turns[len(front) :])[: many - len(front)]])


def _shared_out(pieces: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Pieces that follow each other, for each process some: what it gathers of the past ends with it."""
    size = -(-len(pieces) // _PROCESSES)
    for at in range(0, len(pieces), size):
        yield pieces[at : at + size]
