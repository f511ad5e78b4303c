"""The algorithms that ship with the platform, by `algorithm_type`."""

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from omc.errors import InvalidInput
from omc.strategy.builtin import Builtin
from omc.strategy.channel_breakout import ChannelBreakout
from omc.strategy.dollar_cost_averaging import DollarCostAveraging
from omc.strategy.gradient_boosting import GradientBoosting
from omc.strategy.grid import Grid
from omc.strategy.logistic import Logistic
from omc.strategy.macd import Macd
from omc.strategy.mean_reversion import MeanReversion
from omc.strategy.momentum_rotation import MomentumRotation
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.pairs import Pairs
from omc.strategy.relative_strength import RelativeStrength
from omc.strategy.volatility_target import VolatilityTarget

_BUILTINS: Mapping[str, type[Builtin]] = {
    each.algorithm_type: each
    for each in (
        MovingAverageCrossover,
        Macd,
        ChannelBreakout,
        MomentumRotation,
        MeanReversion,
        RelativeStrength,
        Pairs,
        Grid,
        VolatilityTarget,
        DollarCostAveraging,
        Logistic,
        GradientBoosting,
    )
}


@dataclass(frozen=True, slots=True)
class Template:
    """A built-in algorithm, ready to copy: its defaults, and the space that a sweep of it would search."""

    algorithm_type: str
    description: str
    parameters: Mapping[str, Any]
    about: Mapping[str, str]
    """What each parameter means."""
    space: Mapping[str, Mapping[str, Any]]
    fewest_coins: int
    most_coins: int | None
    """None for any number."""
    source: str
    """The file that it is written in, which runs as people's own code unchanged."""


def make(algorithm_type: str, parameters: Mapping[str, Any]) -> Builtin:
    """A new algorithm; parameters that are not given have their defaults.

    InvalidInput names the type that does not exist, or the parameter that is unknown, of another type, out of its range
    or at odds with another; and refuses people's own code, which nothing here would confine.
    """
    if algorithm_type == "custom":
        raise InvalidInput(
            f"code of your own cannot run where there is no sandbox for it; there are {', '.join(_BUILTINS)}"
        )
    if algorithm_type not in _BUILTINS:
        raise InvalidInput(f"there is no algorithm type {algorithm_type!r}; there are {', '.join(_BUILTINS)}")
    return _BUILTINS[algorithm_type].of(**parameters)


def templates() -> tuple[Template, ...]:
    """Every built-in algorithm."""
    return tuple(
        Template(
            algorithm_type=name,
            description=builtin.description,
            parameters=builtin().get_params(),
            about={each: parameter.about for each, parameter in builtin.parameters().items()},
            space={each: dict(it.search) for each, it in builtin.parameters().items() if it.search},
            fewest_coins=builtin.fewest_coins,
            most_coins=builtin.most_coins,
            source=_source(builtin),
        )
        for name, builtin in _BUILTINS.items()
    )


@cache
def _source(builtin: type[Builtin]) -> str:
    return inspect.getsource(sys.modules[builtin.__module__])
