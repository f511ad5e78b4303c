"""What the algorithms that ship with the platform share: parameters as scikit-learn knows them, checked when set.

They keep scikit-learn's contract without importing it (`sklearn.base.clone` and its searches take them as they are): a
trader on the floor would pay for the import with seconds of start and more memory than all of the rest of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.strategy.exit_parameters import exits_of
from omc.strategy.parameter import Parameter
from omc.trading.exits import Exits


@dataclass(eq=False)
class Builtin(ABC):
    """An Algorithm whose parameters are its dataclass fields. It learns nothing: `fit` returns it as it is."""

    algorithm_type: ClassVar[str]
    description: ClassVar[str]
    fewest_coins: ClassVar[int] = 1
    most_coins: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        for name, parameter in self.parameters().items():
            parameter.check(self.algorithm_type, name, getattr(self, name))
        self.check_together()

    def check_together(self) -> None:  # noqa: B027 (most have nothing to say)
        """InvalidInput when parameters, each fine by itself, contradict each other."""

    @classmethod
    def check_coins(cls, coins: Sequence[str]) -> None:
        """InvalidInput for fewer or more coins than it can decide on."""
        fewest, most = cls.fewest_coins, cls.most_coins
        if not fewest <= len(coins) <= (most or len(coins)):
            bounds = f"exactly {fewest}" if fewest == most else f"at least {fewest}"
            raise InvalidInput(f"{cls.algorithm_type} needs {bounds} coins, not {len(coins)}")

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """What may be set, by name."""
        return {each.name: each.metadata["parameter"] for each in fields(cls)}

    @classmethod
    def of(cls, **params: Any) -> Self:
        """This algorithm with `params` and otherwise its defaults; InvalidInput for one that it does not have."""
        known = cls.parameters()
        for name in params:
            if name not in known:
                raise InvalidInput(f"{cls.algorithm_type} has no parameter {name!r}; it has {', '.join(known)}")
        return cls(**params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.parameters()}

    def set_params(self, **params: Any) -> Self:
        """Change some parameters; when any is refused, none has changed."""
        changed = self.of(**{**self.get_params(), **params})
        for name, value in changed.get_params().items():
            setattr(self, name, value)
        return self

    def fit(self, frame: Frame, labels: FloatArray | None = None) -> Self:
        return self

    def predict(self, frame: Frame) -> FloatArray:
        self.check_coins(frame.coins)
        return self.decide(frame, Indicators(frame.last))

    def close(self) -> None:  # noqa: B027 - most leave nothing
        """It has nothing that would stay behind."""

    @property
    def exits(self) -> Exits:
        """What its parameters `stop_loss`, `trailing` and `take_profit` ask for, where it has them."""
        return exits_of(self.get_params())

    @property
    @abstractmethod
    def memory_bars(self) -> int: ...

    @abstractmethod
    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        """`predict`, with indicators of `frame.last` that other decisions on the same frame may share."""
