"""What a search may give to one parameter: some values, or a range of them."""

from dataclasses import dataclass
from math import ceil, floor, inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omc.errors import InvalidInput
from omc.strategy.algorithm import Algorithm
from omc.strategy.parameter import Parameter
from omc.strategy.sandboxed import SandboxedAlgorithm


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included; `log` draws their magnitudes evenly."""

    low: float
    high: float
    log: bool
    integer: bool

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[Any]:
        if self.integer:
            low, high = ceil(self.low), floor(self.high)
            if not self.log:
                return generator.integers(low, high, count, endpoint=True)
            drawn = np.exp(generator.uniform(log(low), log(high + 1), count))
            return np.minimum(drawn.astype(np.int64), high)
        if self.log:
            return np.minimum(np.exp(generator.uniform(log(self.low), log(self.high), count)), self.high)
        return generator.uniform(self.low, self.high, count)


@dataclass(frozen=True, slots=True)
class Values:
    """One of these."""

    given: tuple[Any, ...]

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[Any]:
        return self.at(generator.integers(len(self.given), size=count))

    def at(self, places: NDArray[np.int64]) -> NDArray[Any]:
        held = np.empty(len(self.given), object)
        held[:] = self.given
        return held[places]


def ends(choice: Values | Range) -> tuple[Any, ...]:
    """The largest and the smallest value; all that there are of what has no order."""
    match choice:
        case Range(low, high, _, True):
            return floor(high), ceil(low)
        case Range(low, high):
            return high, low
        case Values(given):
            return (max(given), min(given)) if all(map(is_number, given)) else given


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def known(algorithm: Algorithm) -> dict[str, Parameter]:
    """What may be searched: numbers of known range and, of people's code, whatever else has a name. That its values
    make sense the code says by itself, point by point."""
    named = {name: _any_number(value) for name, value in algorithm.get_params().items()}
    return {**named, **algorithm.parameters()} if isinstance(algorithm, SandboxedAlgorithm) else algorithm.parameters()


def _any_number(default: object) -> Parameter:
    return Parameter(-inf, inf, isinstance(default, int) and not isinstance(default, bool), "", {})


def choice_of(owner: str, name: str, given: object, parameter: Parameter) -> Values | Range:
    match given:
        case {"low": int() | float() as low, "high": int() | float() as high, **rest}:
            chosen = Range(low, high, bool(rest.get("log")), parameter.integer or bool(rest.get("integer")))
            first, last = (ceil(low), floor(high)) if chosen.integer else (low, high)
            for end in (first, last):
                parameter.check(owner, name, end)
            if first > last:
                raise InvalidInput(f"{owner}: {name} has no value from {low} to {high}")
            if chosen.log and first <= 0:
                raise InvalidInput(f"{owner}: {name} cannot be searched by magnitude from {low}")
            return chosen
        case [_, *_]:
            for value in given:
                # Words, and what is true or not, are for code to take or refuse.
                if parameter.low > -inf or not isinstance(value, str | bool | None):
                    parameter.check(owner, name, value)
            return Values(tuple(given))
    raise InvalidInput(f"{owner}: {name} needs a list of values, or low and high, not {given!r}")
