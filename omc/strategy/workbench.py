"""The inside of a sandbox: loads somebody's code and answers what the platform asks of it, one question at a time.

The same bench stands in a locked process and, for tests, in this one. It trusts nobody's code: whatever that raises, be
it an exit, becomes a `CodeFailed` that shows the lines of that code and no others.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

import numpy as np

from omc.errors import CodeFailed, InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import CODES_OWN, Indicators
from omc.strategy.description import Description, Scalar, Traits
from omc.strategy.printed import Printed
from omc.strategy.user_fault import told
from omc.trading.exits import Exits
from omc.trading.window import Window

INDICATORS_BYTES = 128 * 2**20
"""What the indicators of all held frames may take."""
_SEED = 0
_MODELS_KEPT = _MADE_KEPT = 8
_UNFITTED = "; it has a fit method and was not fitted: fit a model first, and name it in what is run"
Answer = TypeVar("Answer")


class Factory(Protocol):
    """Somebody's code, loaded."""

    def describe(self) -> Description: ...

    def make(self, parameters: Mapping[str, Scalar]) -> Any:
        """The algorithm that it defines: InvalidInput for parameters that it refuses."""
        ...

    def anew(self) -> "Factory":
        """The same code, run once more: nothing is there of what it did since it was loaded."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A frame that stays, with the indicators that decisions on it share."""

    frame: Frame
    indicators: Indicators = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "indicators", Indicators(self.frame.last, INDICATORS_BYTES))


class Workbench:
    """One piece of code, and what was made of it."""

    def __init__(self, source: str, load: Callable[..., Factory]) -> None:
        self.printed = Printed()
        self._factory: Factory = _refusable(lambda: load(source, self.printed.write))
        self._made: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._models: OrderedDict[int, Any] = OrderedDict()
        self._fits = 0
        self._trader: Any = None
        self._window: Window | None = None

    def describe(self) -> Description:
        return _refusable(self._factory.describe)

    def traits(self, parameters: Mapping[str, Scalar]) -> Traits:
        return _traits(self._algorithm(parameters, None))

    def fit(self, parameters: Mapping[str, Scalar], frame: Frame, labels: FloatArray | None) -> int:
        """The number of the model. The latest few are kept."""
        algorithm = _refusable(lambda: self._factory.make(parameters))
        _begin_chance()
        _guarded(lambda: algorithm.fit(frame, labels))
        return self._keep(algorithm)

    def export(self, model: int) -> bytes:
        """What a fitted model has learned, as bytes. CodeFailed names what cannot be stored."""
        content: bytes = _guarded(self._algorithm({}, model).exported)
        return content

    def restore(self, parameters: Mapping[str, Scalar], content: bytes) -> int:
        """The number of a model that holds what the same code has learned with the same parameters."""
        algorithm = _refusable(lambda: self._factory.make(parameters))
        _guarded(lambda: algorithm.restore(content))
        return self._keep(algorithm)

    def _keep(self, algorithm: Any) -> int:
        self._fits += 1
        self._models[self._fits] = algorithm
        while len(self._models) > _MODELS_KEPT:
            self._models.popitem(last=False)
        return self._fits

    def predict(self, parameters: Mapping[str, Scalar], held: Held, model: int | None) -> tuple[FloatArray, Traits]:
        """(T, C) weights, which may be any numbers and any memory."""
        algorithm = self._algorithm(parameters, model)
        return _weights(algorithm, held.frame, held.indicators), _traits(algorithm)

    def predict_anew(self, parameters: Mapping[str, Scalar], held: Held) -> tuple[FloatArray, Traits]:
        """The same, as code decides that has done nothing yet: what it kept of other decisions, in its own names or
        among the indicators, is not there. What the platform computes is shared as ever."""
        held.indicators.forget(CODES_OWN)
        algorithm = _refusable(lambda: self._factory.anew().make(parameters))
        return _weights(algorithm, held.frame, held.indicators), _traits(algorithm)

    def begin(self, parameters: Mapping[str, Scalar], tail: Frame, model: int | None) -> FloatArray:
        """Weights of the last row, (C,), any numbers."""
        # Its own, since what it is about to remember is nobody else's.
        algorithm = (
            _refusable(lambda: self._factory.make(parameters)) if model is None else self._algorithm(parameters, model)
        )
        self._trader, self._window = algorithm, Window(tail, max(1, _traits(algorithm).memory_bars))
        return self._last_row(self._window.frame())

    def decide(self, time: datetime, bid: FloatArray, ask: FloatArray, last: FloatArray) -> FloatArray:
        if self._window is None:
            raise CodeFailed("nothing was begun that could go on")
        self._window.append(time, bid, ask, last)
        return self._last_row(self._window.frame())

    def _last_row(self, frame: Frame) -> FloatArray:
        if not len(frame):
            raise CodeFailed("there is no bar to decide on")
        return _weights(self._trader, frame, None)[-1]

    def _algorithm(self, parameters: Mapping[str, Scalar], model: int | None) -> Any:
        if model is not None:
            if model not in self._models:
                raise CodeFailed("its fitted model is gone: it was fitted too long ago, or its sandbox ended since")
            self._models.move_to_end(model)
            return self._models[model]
        # 1, 1.0 and True are equal, and not the same parameters.
        key = tuple((name, type(value), value) for name, value in sorted(parameters.items()))
        if key not in self._made:
            self._made[key] = _refusable(lambda: self._factory.make(parameters))
            while len(self._made) > _MADE_KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]


def _weights(algorithm: Any, frame: Frame, indicators: Indicators | None) -> FloatArray:
    decide = getattr(algorithm, "decide", None)

    def run() -> FloatArray:
        if decide is not None and indicators is not None:
            return np.asarray(decide(frame, indicators), dtype=np.float64)
        return np.asarray(algorithm.predict(frame), dtype=np.float64)

    if decide is not None and indicators is not None:
        _refusable(lambda: algorithm.check_coins(frame.coins))
    _begin_chance()
    weights = _guarded(run, _UNFITTED if getattr(algorithm, "unfitted", False) else "")
    if weights.shape != frame.last.shape:
        rows, coins = frame.last.shape
        raise CodeFailed(f"weights have shape {weights.shape}; {rows} bars of {coins} coins need ({rows}, {coins})")
    return weights


def _begin_chance() -> None:
    """Models without a seed of their own draw from numpy's, which is to give the same in every process."""
    np.random.seed(_SEED)


def _traits(algorithm: Any) -> Traits:
    memory_bars, exits = _guarded(lambda: (algorithm.memory_bars, getattr(algorithm, "exits", None) or Exits()))
    if isinstance(memory_bars, bool) or not isinstance(memory_bars, int | np.integer) or memory_bars < 0:
        raise CodeFailed(f"memory_bars must be a whole number of bars, not a {type(memory_bars).__name__}")
    if type(exits) is not Exits:
        raise CodeFailed(f"exits must be Exits, not a {type(exits).__name__}")
    return Traits(int(memory_bars), exits)


def _guarded(run: Callable[[], Answer], hint: str = "") -> Answer:
    """What it gives; CodeFailed for anything that it raises, an exit included, with a hint where something lacks."""
    try:
        return run()
    except BaseException as fault:
        # scikit-learn's NotFittedError is an AttributeError.
        raise CodeFailed(told(fault) + (hint if isinstance(fault, AttributeError | TypeError) else "")) from None


def _refusable(run: Callable[[], Answer]) -> Answer:
    """The same, but that an InvalidInput stays one: what was handed in is refused."""
    try:
        return run()
    except InvalidInput as refusal:
        raise InvalidInput(told(refusal)) from None
    except BaseException as fault:
        raise CodeFailed(told(fault)) from None
