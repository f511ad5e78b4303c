"""A demo of somebody's own algorithm: which file, and what a search of its parameters tries."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Self

from omc.cli import code

_MOST_SEARCHED = 3
"""Parameters without a declared range that are tried, three values each."""


@dataclass(frozen=True, slots=True)
class Own:
    """What stands in a file; it is read once, so that what is tested is what is traded."""

    file: Path
    source: str

    @classmethod
    def of(cls, file: Path) -> Self:
        """Failure when there is no such file, or nothing in it that could be Python."""
        return cls(file, code.read(file))


@dataclass(frozen=True, slots=True)
class Searched:
    """What of a sweep is asked for: its space, and how points are chosen in it."""

    space: Mapping[str, Any]
    method: str
    points: int | None = None


def searched(described: Mapping[str, Any], points: int) -> Searched | None:
    """Of what an algorithm says of itself: `points` drawn from the ranges that it declares or, where it declares none,
    the values around those of its first numbers. None when it has nothing to search."""
    ranges = described["ranges"]
    declared = {name: each["search"] for name, each in ranges.items() if each["search"]}
    if declared:
        return Searched(declared, "random", points)
    around = {name: _around(value, ranges.get(name)) for name, value in described["parameters"].items()}
    several = [(name, values) for name, values in around.items() if len(values) > 1]
    return Searched(dict(several[:_MOST_SEARCHED]), "grid") if several else None


def _around(value: object, bounds: Mapping[str, Any] | None) -> list[int | float]:
    """Half of a number, it and its double, as far as they are allowed; nothing of what is no number, or zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value or not isfinite(value):
        return []
    values = {value // 2 if isinstance(value, int) else value / 2, value, value * 2}
    low, high = (bounds["low"], bounds["high"]) if bounds else (float("-inf"), float("inf"))
    return sorted(each for each in values if each and low <= each <= high)
