"""One algorithm of somebody's code, with its parameters: to the platform it is an algorithm like its own."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import exits_of
from omc.strategy.sandbox.classes import is_own, is_the_platforms
from omc.strategy.sandbox.model_file import packed, unpacked
from omc.strategy.sandbox.seen_frame import SeenFrame
from omc.trading.exits import Exits

MOST_MEMORY = 2_000_000


class Confined:
    """An Algorithm. What the code says is looked at before it is passed on."""

    def __init__(self, algorithm: Any, parameters: Mapping[str, Any]) -> None:
        self._algorithm, self._parameters = algorithm, dict(parameters)
        self._learned = False

    @property
    def fewest_coins(self) -> int:
        return int(getattr(self._algorithm, "fewest_coins", 1))

    @property
    def most_coins(self) -> int | None:
        most = getattr(self._algorithm, "most_coins", None)
        return None if most is None else int(most)

    @property
    def memory_bars(self) -> int:
        bars = self._algorithm.memory_bars
        if isinstance(bars, bool) or not isinstance(bars, int | np.integer) or not 1 <= int(bars) <= MOST_MEMORY:
            raise InvalidInput(f"memory_bars is a whole number from 1 to {MOST_MEMORY:,}, not {bars!r}"[:200])
        return int(bars)

    @property
    def exits(self) -> Exits:
        found = getattr(self._algorithm, "exits", None)
        if found is None:
            return exits_of(
                {name: value for name, value in self.get_params().items() if isinstance(value, int | float)}
            )
        if type(found) is not Exits:
            raise InvalidInput(f"exits are Exits(…), not a {type(found).__name__}")
        return found

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        if isinstance(self._algorithm, Builtin):
            return {name: getattr(self._algorithm, name) for name in type(self._algorithm).parameters()}
        return dict(self._parameters)

    def set_params(self, **params: Any) -> Self:
        """InvalidInput for one that it does not have; then none has changed."""
        known = self.get_params()
        for name in params:
            if name not in known:
                raise InvalidInput(f"there is no parameter {name!r}; there are {', '.join(known)}")
        made = {**known, **params}
        self._algorithm, self._parameters = type(self._algorithm)(**made), made
        return self

    def check_coins(self, coins: Sequence[str]) -> None:
        """InvalidInput for fewer or more coins than it can decide on."""
        fewest, most = self.fewest_coins, self.most_coins
        if not fewest <= len(coins) <= (most or len(coins)):
            bounds = f"exactly {fewest}" if fewest == most else f"at least {fewest}"
            raise InvalidInput(f"{type(self._algorithm).__name__} needs {bounds} coins, not {len(coins)}")

    def fit(self, frame: Frame, labels: FloatArray | None = None) -> Self:
        self._learned = True
        fit = getattr(self._algorithm, "fit", None)
        if fit is not None:
            fit(SeenFrame.of(frame)) if labels is None else fit(SeenFrame.of(frame), labels)
        return self

    def exported(self) -> bytes:
        """What it has learned, and everything else that its object holds. InvalidInput names what cannot be stored."""
        return packed({name: value for name, value in _held(self._algorithm).items() if self._own(name)})

    def restore(self, content: bytes) -> Self:
        """Hold what one of the same code and parameters has learned. InvalidInput for bytes that say otherwise."""
        for name, value in unpacked(content).items():
            if not self._own(name):
                raise InvalidInput(f"a stored model has an attribute {name!r}, which is not the code's own"[:200])
            object.__setattr__(self._algorithm, name, value)
        self._learned = True
        return self

    @property
    def unfitted(self) -> bool:
        """Whether it would learn first, and has not."""
        own = any("fit" in vars(base) for base in type(self._algorithm).__mro__ if is_own(base))
        return own and not self._learned

    def _own(self, name: str) -> bool:
        return not is_the_platforms((type(self._algorithm),), name)

    def predict(self, frame: Frame) -> FloatArray:
        self.check_coins(frame.coins)
        return self.decide(frame, None)

    def decide(self, frame: Frame, indicators: Indicators | None) -> FloatArray:
        """`predict`, with indicators of `frame.last` that other decisions on the same frame may share."""
        seen = SeenFrame.of(frame, indicators)
        if isinstance(self._algorithm, Builtin):
            made = self._algorithm.decide(seen, seen.indicators)
        else:
            made = self._algorithm.predict(seen)
        return _weights(made, frame)


def _held(algorithm: Any) -> dict[str, Any]:
    """The attributes of an object, in slots or not."""
    slots = [name for kind in type(algorithm).__mro__ for name in vars(kind).get("__slots__", ())]
    found = {name: getattr(algorithm, name) for name in slots if not name.startswith("__") and hasattr(algorithm, name)}
    return {**found, **getattr(algorithm, "__dict__", {})}


def _weights(made: Any, frame: Frame) -> FloatArray:
    """(T, C) float64, whatever the numbers. InvalidInput for anything that is no such array."""
    if type(made) in (pd.DataFrame, pd.Series):
        made = made.to_numpy()
    if type(made) is not np.ndarray or made.dtype.kind not in "biuf":
        raise InvalidInput(f"weights are an array of numbers, not a {type(made).__name__}")
    if made.ndim == 1 and len(frame.coins) == 1:
        made = made[:, None]
    if made.shape != frame.last.shape:
        raise InvalidInput(f"weights have one row a bar and one column a coin: {frame.last.shape}, not {made.shape}")
    return np.asarray(made, dtype=np.float64)
