"""What a piece of code says of itself: its name, its parameters, and what follows from their values."""

from collections.abc import Mapping
from dataclasses import dataclass

from omc.feature.frame import FloatArray
from omc.strategy.parameter import Parameter
from omc.trading.exits import Exits

Scalar = int | float | bool | str | None


@dataclass(frozen=True, slots=True)
class Description:
    """Of an algorithm that code defines."""

    algorithm_type: str
    description: str
    fewest_coins: int
    most_coins: int | None
    """None when there is no most."""
    defaults: Mapping[str, Scalar]
    """Every parameter that may be set; None also where there is no default."""
    parameters: Mapping[str, Parameter]
    """The numbers among them whose range is known."""
    required: tuple[str, ...] = ()
    """Those that have no default."""
    fits: bool = False
    """Whether it learns from prices by a `fit` of its own, before it decides."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What an algorithm says of itself once its parameters are set."""

    memory_bars: int
    """Rows that a decision looks back, its own included."""
    exits: Exits


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """(T, C) float64 weights that may be used as they are."""

    weights: FloatArray
    traits: Traits
