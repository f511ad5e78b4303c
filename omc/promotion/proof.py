"""What is proven of an algorithm before real money: a figure by gate."""

from collections.abc import Mapping
from dataclasses import dataclass

from omc.promotion.gate import Figure

HOW = "run a sweep with folds whose space holds these parameters"


@dataclass(frozen=True, slots=True)
class Proof:
    """`days` is how long the tested record is; what has no figure was not measured."""

    figures: Mapping[str, Figure]
    days: float

    def figure(self, gate: str) -> Figure:
        return self.figures.get(gate, Figure(None, "it was not measured"))


def unproven(reason: str) -> Proof:
    """Nothing could be measured."""
    return Proof({"tested": Figure(0.0, reason)}, 0.0)
