"""When points of somebody's code end their sandboxes so often that there is no use in going on."""

from dataclasses import dataclass

from omc.backtest.rounds import Outcome

IN_A_ROW = 10
"""So many one after the other are enough."""
MANY = 30
"""So many are, too, where they are no less than the part below of all that was tried."""
_PART = 1 / 3


@dataclass(slots=True)
class Deaths:
    """Counts them: one that waits for its deadline holds a worker for a minute, and a search has many thousand."""

    tried: int = 0
    died: int = 0
    in_a_row: int = 0

    def hopeless(self, outcome: Outcome) -> str | None:
        """Why not to go on after this as well; None while there is hope."""
        self.tried += len(outcome.indices)
        self.died += len(outcome.died)
        # Whatever was tried of a batch after the last that died lived on.
        dead = set(outcome.died)
        for index in outcome.indices.tolist():
            self.in_a_row = self.in_a_row + 1 if index in dead else 0
            if self.in_a_row == IN_A_ROW:
                return self._said(outcome, f"the last {IN_A_ROW} in a row")
        if self.died >= MANY and self.died >= _PART * self.tried:
            return self._said(outcome, "too many to go on")
        return None

    def _said(self, outcome: Outcome, how: str) -> str:
        last = outcome.failures[outcome.died[-1]].reason
        return f"the code ended its sandbox at {self.died} of {self.tried} points, {how}; at the last of them: {last}"
