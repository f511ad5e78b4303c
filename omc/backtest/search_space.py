"""The points of a sweep: each follows from its index and the seed alone, whoever computes it, in whatever order."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, product
from math import ceil, floor, log, prod
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from omc.backtest.folds import check_folds
from omc.backtest.sweep import METHODS, Sweep
from omc.errors import CodeFailed, InvalidInput, SandboxDied
from omc.strategy import registry
from omc.strategy.algorithm import Algorithm
from omc.strategy.builtin import Builtin
from omc.strategy.maker import Make
from omc.strategy.parameter import Parameter

MOST_POINTS = 100_000
MOST_LEARNED_POINTS = 5_000
"""Optuna looks at all earlier points for each new one."""
_LOOKED_AT = 1_000
_DRAWS = 50
_CORNERS = 4_096


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


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """`choices` maps each searched parameter to its values or its range; the other parameters are `fixed`."""

    algorithm_type: str
    fixed: Mapping[str, Any]
    choices: dict[str, Values | Range]
    method: str
    points: int
    seed: int
    maker: Make = registry.make

    @classmethod
    def of(cls, sweep: Sweep, make: Make = registry.make) -> Self:
        """What `sweep` searches. InvalidInput says what is wrong with it: a parameter that the algorithm does not have,
        a value outside its range, a grid over a range, too many points, none that the algorithm would take, or folds
        that cannot be."""
        algorithm_type, fixed = sweep.spec.algorithm_type, dict(sweep.spec.parameters)
        if sweep.method not in METHODS:
            raise InvalidInput(f"a sweep's method is {', '.join(METHODS[:-1])} or {METHODS[-1]}, not {sweep.method!r}")
        check_folds(sweep.folds, sweep.scheme, sweep.purge_bars, sweep.embargo_bars)
        if sweep.prune and not sweep.folds:
            raise InvalidInput("a sweep without folds has nothing to prune by: ask for 2 folds or more")
        if not sweep.space:
            raise InvalidInput("the search space is empty")
        with closing(make(algorithm_type, fixed)) as algorithm:
            algorithm.check_coins(sweep.spec.coins)
            known = algorithm.parameters()
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
        most = MOST_LEARNED_POINTS if sweep.method == "optuna" else MOST_POINTS
        if not 1 <= points <= most:
            raise InvalidInput(f"the sweep would have {points} points: at least 1 and at most {most} are tried")
        space = cls(algorithm_type, fixed, choices, sweep.method, points, sweep.seed, make)
        space.check_possible()
        return space

    def draw(self, count: int) -> list[dict[str, Any]]:
        """The searched parameters of the first `count` points, for a grid or a random search (and what an Optuna one
        starts from). A grid may hold points that the algorithm refuses; a random search draws those again, many times,
        before it gives in and keeps them."""
        if self.method == "grid":
            return _rows(self._grid(count))
        rows = _rows(self._random(count, 0))
        with closing(self.algorithms()) as algorithms:
            for attempt in range(1, _DRAWS):
                refused = [at for at, row in enumerate(rows) if algorithms.refusal(row) is not None]
                if not refused:
                    break
                again = _rows({name: drawn[refused] for name, drawn in self._random(count, attempt).items()})
                for at, row in zip(refused, again, strict=True):
                    rows[at] = row
        return rows

    def _grid(self, count: int) -> dict[str, NDArray[Any]]:
        places = np.arange(count)
        columns: dict[str, NDArray[Any]] = {}
        for name, choice in reversed(self.choices.items()):
            values = cast(Values, choice)
            columns[name] = values.at(places % len(values.given))
            places = places // len(values.given)
        return {name: columns[name] for name in self.choices}

    def _random(self, count: int, attempt: int) -> dict[str, NDArray[Any]]:
        # A generator a column: so the draws of a point do not depend on how many there are.
        return {
            name: choice.draw(np.random.default_rng([self.seed, attempt, at]), count)
            for at, (name, choice) in enumerate(self.choices.items())
        }

    def point(self, index: int) -> dict[str, Any]:
        """All parameters of point `index` of a grid or a random search."""
        return {**self.fixed, **self.draw(index + 1)[index]}

    def algorithms(self) -> "Algorithms":
        """Makes the algorithms of points, until it is closed."""
        return Algorithms(self.maker(self.algorithm_type, self.fixed), dict(self.fixed))

    def check_possible(self) -> None:
        """InvalidInput when none of the points (the first many of them) could be tried."""
        reason = None
        with closing(self.algorithms()) as algorithms:
            for row in self.draw(min(self.points, _LOOKED_AT)):
                reason = algorithms.refusal(row)
                if reason is None:
                    return
        raise InvalidInput(f"no point of the search space can be tried: {reason}")

    @property
    def needed_bars(self) -> int:
        """Rows before the start that warm up any of its points: what an algorithm at the ends of its choices remembers,
        whichever ends they are."""
        names, ends = list(self.choices), [_ends(choice) for choice in self.choices.values()]
        corners = (dict(zip(names, corner, strict=True)) for corner in islice(product(*ends), _CORNERS))
        with closing(self.algorithms()) as algorithms:
            return max((bars for corner in corners if (bars := algorithms.memory_bars(corner)) is not None), default=0)


@dataclass(frozen=True, slots=True)
class Algorithms:
    """Makes an algorithm for each of many points, whose values were found to be in range one by one before: only what
    they are together is left to check. That spares most of what `registry.make` costs."""

    base: Algorithm
    fixed: Mapping[str, Any]

    @property
    def cpu_s(self) -> float:
        """CPU seconds that they have used so far in processes of their own."""
        return 0.0

    def make(self, searched: Mapping[str, Any]) -> Algorithm:
        """InvalidInput for values that contradict each other."""
        made = self.unchecked(searched)
        made.check_together()
        return made

    def unchecked(self, searched: Mapping[str, Any]) -> Algorithm:
        if not isinstance(self.base, Builtin):
            return self.base.of(**{**self.fixed, **searched})
        made: Builtin = object.__new__(type(self.base))
        made.__dict__.update(self.base.__dict__)
        made.__dict__.update(self.fixed)
        made.__dict__.update(searched)
        return made

    def refusal(self, searched: Mapping[str, Any]) -> str | None:
        """Why the algorithm would not take them. What code raises beside that is for the try to show, unless it ends
        its sandbox, which nobody can wait for as often as there are points: SandboxDied."""
        try:
            self.make(searched)
        except InvalidInput as reason:
            return str(reason)
        except SandboxDied:
            raise
        except CodeFailed:
            return None
        return None

    def memory_bars(self, searched: Mapping[str, Any]) -> int | None:
        """What they would remember, whether or not they contradict each other; None where code does not tell then."""
        try:
            return self.unchecked(searched).memory_bars
        except SandboxDied:
            raise
        except (InvalidInput, CodeFailed):
            return None

    def close(self) -> None:
        """End what all that it made share."""
        self.base.close()


def by_window(rows: Sequence[Mapping[str, Any]], indices: Sequence[int]) -> list[int]:
    """Places of `rows` such that points with the same windows, whose indicators they share, follow each other: the
    widest windows first, and then the next parameter's. Among equals by index."""
    if not rows:
        return []
    names = sorted((name for name in rows[0] if name.endswith("_bars")), key=lambda name: -max(r[name] for r in rows))
    keys = [[-row[name] for row in rows] for name in names]
    places: list[int] = np.lexsort([np.asarray(indices), *map(np.asarray, reversed(keys))]).tolist()
    return places


def _rows(columns: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    names = tuple(columns)
    listed = [column.tolist() for column in columns.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*listed, strict=True)]


def _ends(choice: Values | Range) -> tuple[Any, Any]:
    """The largest and the smallest value."""
    match choice:
        case Range(low, high, _, True):
            return floor(high), ceil(low)
        case Range(low, high):
            return high, low
        case Values(given):
            return max(given), min(given)


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
