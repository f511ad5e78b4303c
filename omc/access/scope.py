"""What a program may do on an account's behalf."""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Scope(StrEnum):
    READ = "read"
    LAB = "lab"
    TRADE = "trade"


# Whoever may change something may look at it; nothing else follows from anything.
_IMPLIED: Mapping[Scope, frozenset[Scope]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.LAB: frozenset({Scope.LAB, Scope.READ}),
    Scope.TRADE: frozenset({Scope.TRADE, Scope.READ}),
}


def allows(given: Iterable[Scope], wanted: Scope) -> bool:
    """Whether `given` suffice for what needs `wanted`."""
    return any(wanted in _IMPLIED[each] for each in given)
