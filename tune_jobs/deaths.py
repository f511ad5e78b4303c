"""When points of somebody's code end their sandboxes so often that there is no use in going on."""

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from omc.backtest.rounds import Outcome
from omc.backtest.tried import IntArray

IN_A_ROW = 10
"""So many next to each other in a round are enough."""
MANY, MOST = 30, 300
"""A third of all points is, too: no less than the former, and no more than the latter."""


@dataclass(slots=True)
class Deaths:
    """Counts them: one that waits for its deadline holds a worker for a minute, and a search has many thousand.

    Which points have died decides, and not which of them was told first: that depends on how many workers there are.
    """

    points: int
    """All that the sweep has."""
    tried: int = 0
    _died: set[int] = field(default_factory=set)
    _round: IntArray = field(default_factory=lambda: np.empty(0, np.int64))

    def begin(self, indices: IntArray) -> None:
        """A round, in the order in which its points are handed out."""
        self._round = indices

    def hopeless(self, outcome: Outcome) -> str | None:
        """Why not to go on after this as well; None while there is hope."""
        self.tried += len(outcome.indices)
        if not outcome.died:
            return None
        self._died.update(outcome.died)
        dead = np.isin(self._round, list(self._died))
        if len(dead) >= IN_A_ROW and sliding_window_view(dead, IN_A_ROW).all(axis=1).any():
            return self._said(outcome, f"{IN_A_ROW} of them in a row")
        if len(self._died) >= min(max(MANY, self.points / 3), MOST):
            return self._said(outcome, "too many to go on")
        return None

    def _said(self, outcome: Outcome, how: str) -> str:
        last = outcome.failures[outcome.died[-1]].reason
        return f"the code ended its sandbox at {len(self._died)} of {self.tried} points, {how}; at one of them: {last}"
