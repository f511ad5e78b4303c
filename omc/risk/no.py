"""A check's no, before it is anybody's denial."""

from dataclasses import dataclass

from omc.risk.exposure import Figures, Level
from omc.risk.verdict import Breach, DenialReason


@dataclass(frozen=True, slots=True)
class No:
    """`breach` is the limit that would be exceeded, where it is one."""

    reason: DenialReason
    message: str
    breach: Breach | None = None


def limit_of(figures: Figures) -> str:
    """How a sentence names it."""
    return "the limit" if figures.level is Level.DEPLOYMENT else f"the {figures.level}'s limit"
