"""Something in a piece of code that is refused: where it stands, which rule, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from omc.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Finding:
    """Lines and columns count from 1."""

    line: int
    column: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


def refusal(findings: Sequence[Finding]) -> InvalidInput:
    """All of them in one sentence each, the first ones first."""
    shown = [str(finding) for finding in findings[:20]]
    if len(findings) > len(shown):
        shown.append(f"and {len(findings) - len(shown)} more")
    return InvalidInput("; ".join(shown))
