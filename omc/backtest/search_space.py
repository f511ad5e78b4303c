"""The points of a sweep: each follows from its index and the seed alone, whoever computes it, in whatever order."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, exp, floor, log, prod
from typing import Any, Self

import numpy as np

from omc.backtest.sweep import Sweep
from omc.errors import InvalidInput
from omc.strategy.parameter import Parameter
from omc.strategy.registry import make

MOST_POINTS = 100_000
_LOOKED_AT = 1_000
_DRAWS = 50


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included; `log` draws their magnitudes evenly."""

    low: float
    high: float
    log: bool
    integer: bool

    def draw(self, generator: np.random.Generator) -> float:
        if self.integer:
            low, high = ceil(self.low), floor(self.high)
            if not self.log:
                return int(generator.integers(low, high, endpoint=True))
            return min(int(exp(generator.uniform(log(low), log(high + 1)))), high)
        if self.log:
            return min(exp(generator.uniform(log(self.low), log(self.high))), self.high)
        return float(generator.uniform(self.low, self.high))


@dataclass(frozen=True, slots=True)
class Values:
    """One of these."""

    given: tuple[Any, ...]

    def draw(self, generator: np.random.Generator) -> Any:
        return self.given[int(generator.integers(len(self.given)))]


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """`choices` maps each searched parameter to its values or its range; the other parameters are `fixed`."""

    algorithm_type: str
    fixed: Mapping[str, Any]
    choices: dict[str, Values | Range]
    grid: bool
    points: int
    seed: int

    @classmethod
    def of(cls, sweep: Sweep) -> Self:
        """What `sweep` searches. InvalidInput says what is wrong with it: a parameter that the algorithm does not have,
        a value outside its range, a grid over a range, too many points, or none that the algorithm would take."""
        algorithm_type, fixed = sweep.spec.algorithm_type, dict(sweep.spec.parameters)
        if sweep.method not in ("grid", "random"):
            raise InvalidInput(f"a sweep's method is grid or random, not {sweep.method!r}")
        if not sweep.space:
            raise InvalidInput("the search space is empty")
        known = make(algorithm_type, {}).parameters()
        choices: dict[str, Values | Range] = {}
        # The order of the names decides which point has which index, and JSON does not keep it.
        for name in sorted(sweep.space):
            if name not in known:
                raise InvalidInput(f"{algorithm_type} has no parameter {name!r}; it has {', '.join(known)}")
            choices[name] = _choices(algorithm_type, name, sweep.space[name], known[name])
        ranges = [name for name, choice in choices.items() if isinstance(choice, Range)]
        if sweep.method == "grid" and ranges:
            raise InvalidInput(f"a grid needs lists of values, and {', '.join(ranges)} has a range")
        grid = [choice.given for choice in choices.values() if isinstance(choice, Values)]
        points = prod(len(values) for values in grid) if sweep.method == "grid" else sweep.points
        if not 1 <= points <= MOST_POINTS:
            raise InvalidInput(f"the sweep would have {points} points: at least 1 and at most {MOST_POINTS} are tried")
        space = cls(algorithm_type, fixed, choices, sweep.method == "grid", points, sweep.seed)
        space.check_possible()
        return space

    def point(self, index: int) -> dict[str, Any]:
        """All parameters of point `index`. A grid may hold points that the algorithm refuses; a random search draws
        again, many times, before it gives in and does."""
        if self.grid:
            drawn = {}
            for name, choice in reversed(self.choices.items()):
                if isinstance(choice, Values):
                    index, at = divmod(index, len(choice.given))
                    drawn[name] = choice.given[at]
            return {**self.fixed, **drawn}
        generator = np.random.default_rng([self.seed, index])
        for _ in range(_DRAWS):
            parameters = {**self.fixed, **{name: choice.draw(generator) for name, choice in self.choices.items()}}
            if self.refusal(parameters) is None:
                break
        return parameters

    def refusal(self, parameters: Mapping[str, Any]) -> str | None:
        """Why the algorithm would not take `parameters`."""
        try:
            make(self.algorithm_type, parameters)
        except InvalidInput as reason:
            return str(reason)
        return None

    def check_possible(self) -> None:
        """InvalidInput when none of the points (the first many of them) could be tried."""
        reason = None
        for index in range(min(self.points, _LOOKED_AT)):
            reason = self.refusal(self.point(index))
            if reason is None:
                return
        raise InvalidInput(f"no point of the search space can be tried: {reason}")

    @property
    def needed_bars(self) -> int:
        """Rows before the start that warm up any of its points: no algorithm looks back further than over all of its
        windows, one after the other."""
        return sum(self._most(name) for name in self.fixed.keys() | self.choices.keys() if name.endswith("_bars"))

    def _most(self, name: str) -> int:
        match self.choices.get(name):
            case None:
                return int(self.fixed[name])
            case Range() as choice:
                return floor(choice.high)
            case Values(given):
                return int(max(given))


def _choices(owner: str, name: str, given: object, parameter: Parameter) -> Values | Range:
    match given:
        case {"low": int() | float() as low, "high": int() | float() as high, **rest}:
            chosen = Range(low, high, bool(rest.get("log")), parameter.integer or bool(rest.get("integer")))
            ends = (ceil(low), floor(high)) if chosen.integer else (low, high)
            for end in ends:
                parameter.check(owner, name, end)
            if ends[0] > ends[1]:
                raise InvalidInput(f"{owner}: {name} has no value from {low} to {high}")
            if chosen.log and ends[0] <= 0:
                raise InvalidInput(f"{owner}: {name} cannot be searched by magnitude from {low}")
            return chosen
        case [_, *_]:
            for value in given:
                parameter.check(owner, name, value)
            return Values(tuple(given))
    raise InvalidInput(f"{owner}: {name} needs a list of values, or low and high, not {given!r}")
