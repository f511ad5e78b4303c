"""What must be proven before real money: measured anew on the window of the newest sweep, under the venue's terms."""

from collections.abc import Mapping
from dataclasses import dataclass

from omc.promotion.gate import Figure


@dataclass(frozen=True, slots=True)
class Proof:
    """A figure by gate; `days` is how long the tested record is."""

    figures: Mapping[str, Figure]
    days: float

    def figure(self, gate: str) -> Figure:
        return self.figures.get(gate, Figure(None, "it was not measured"))
