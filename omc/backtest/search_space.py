"""The points of a sweep: each follows from its index and the seed alone, whoever computes it, in whatever order."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice, product
from math import inf, prod
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from omc.backtest.algorithms import Algorithms
from omc.backtest.choice import Range, Values, choice_of, ends, is_number, known
from omc.backtest.folds import check_folds
from omc.backtest.sweep import METHODS, Sweep
from omc.errors import CodeFailed, InvalidInput
from omc.strategy import registry
from omc.strategy.maker import Make

MOST_POINTS = 100_000
MOST_LEARNED_POINTS = 5_000
"""Optuna looks at all earlier points for each new one."""
_LOOKED_AT = 1_000
_DRAWS = 50
_CORNERS = 4_096
# Processor time that people's code may take to look at the parameters of many points, and of each more.
_LOOKING_CPU_S, _LOOKING_CPU_S_EACH = 5.0, 0.002


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
        a value outside its range, a grid over a range, too many points, none that the algorithm would take, folds that
        cannot be, or code that does not even say what it takes."""
        try:
            return cls._of(sweep, make)
        except CodeFailed as fault:
            raise InvalidInput(str(fault)) from None

    @classmethod
    def _of(cls, sweep: Sweep, make: Make) -> Self:
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
            may_be = known(algorithm)
        choices: dict[str, Values | Range] = {}
        # The order of the names decides which point has which index, and JSON does not keep it.
        for name in sorted(sweep.space):
            if name not in may_be:
                raise InvalidInput(f"{algorithm_type} has no parameter {name!r}; it has {', '.join(may_be)}")
            choices[name] = choice_of(algorithm_type, name, sweep.space[name], may_be[name])
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
        refused = list(range(count))
        with closing(self.algorithms(looking_cpu_s(count))) as algorithms:
            for attempt in range(1, _DRAWS):
                refused = [at for at in refused if algorithms.refusal(rows[at]) is not None]
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

    def algorithms(self, most_cpu_s: float = inf) -> "Algorithms":
        """Makes the algorithms of points, until it is closed; people's code may take so long to look at parameters."""
        return Algorithms(self.maker(self.algorithm_type, self.fixed), dict(self.fixed), most_cpu_s)

    def check_possible(self) -> None:
        """InvalidInput when none of the points (the first many of them) could be tried."""
        reason = None
        with closing(self.algorithms(_LOOKING_CPU_S)) as algorithms:
            for row in self.draw(min(self.points, _LOOKED_AT)):
                reason = algorithms.refusal(row)
                if reason is None:
                    return
        raise InvalidInput(f"no point of the search space can be tried: {reason}")

    @property
    def needed_bars(self) -> int:
        """Rows before the start that warm up its points: what an algorithm at the ends of its choices remembers,
        whichever ends they are. Code may refuse its ends, or remember more between them: its first many points are
        asked as well, and a later one that remembers still more is for the try to fail."""
        outermost = product(*map(ends, self.choices.values()))
        asked: Iterable[Mapping[str, Any]] = (
            dict(zip(self.choices, corner, strict=True)) for corner in islice(outermost, _CORNERS)
        )
        looked_at = min(self.points, _LOOKED_AT)
        with closing(self.algorithms(looking_cpu_s(looked_at))) as algorithms:
            if algorithms.of_code:
                asked = chain(asked, self.draw(looked_at))
            return max((bars for each in asked if (bars := algorithms.memory_bars(each)) is not None), default=0)


def looking_cpu_s(points: int) -> float:
    """Processor time that people's code may take to look at the parameters of so many points."""
    return _LOOKING_CPU_S + _LOOKING_CPU_S_EACH * points


def by_window(rows: Sequence[Mapping[str, Any]], indices: Sequence[int]) -> list[int]:
    """Places of `rows` such that points with the same windows, whose indicators they share, follow each other: the
    widest windows first, and then the next parameter's. Among equals by index."""
    if not rows:
        return []
    windows = [name for name in rows[0] if name.endswith("_bars") and all(is_number(row[name]) for row in rows)]
    names = sorted(windows, key=lambda name: -max(row[name] for row in rows))
    keys = [[-row[name] for row in rows] for name in names]
    places: list[int] = np.lexsort([np.asarray(indices), *map(np.asarray, reversed(keys))]).tolist()
    return places


def _rows(columns: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    names = tuple(columns)
    listed = [column.tolist() for column in columns.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*listed, strict=True)]
