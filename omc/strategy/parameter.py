"""A parameter of an algorithm: what it may be, and the clear no to anything else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from omc.errors import InvalidInput


def same_parameters(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether code would be given the same by both: 1, 1.0 and True are equal, and not the same to it."""
    return ours == theirs and all(type(value) is type(theirs[name]) for name, value in ours.items())


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number from `low` to `high`, both included; `search` is where a sweep looks unless told otherwise."""

    low: float
    high: float
    integer: bool
    about: str
    search: Mapping[str, Any]

    def check(self, owner: str, name: str, value: object) -> None:
        """InvalidInput, naming the parameter, when `value` is of another type or out of range."""
        if isinstance(value, bool) or not isinstance(value, int if self.integer else int | float):
            kind = "a whole number" if self.integer else "a number"
            raise InvalidInput(f"{owner}: {name} must be {kind}, not {value!r}")
        if not isfinite(value) or not self.low <= value <= self.high:
            raise InvalidInput(f"{owner}: {name} must lie from {self.low:g} to {self.high:g}, not {value!r}")


def whole(default: int, *, low: int, high: int, about: str, search: tuple[int, int] | None = None) -> Any:
    """A dataclass field for a whole number; without `search` a sweep leaves it alone."""
    space = {} if search is None else {"low": search[0], "high": search[1], "log": search[0] > 0, "integer": True}
    return field(default=default, metadata={"parameter": Parameter(low, high, True, about, space)})


def real(default: float, *, low: float, high: float, about: str, search: tuple[float, float] | None = None) -> Any:
    """A dataclass field for a real number; without `search` a sweep leaves it alone."""
    space = {} if search is None else {"low": search[0], "high": search[1], "log": False, "integer": False}
    return field(default=default, metadata={"parameter": Parameter(low, high, False, about, space)})
