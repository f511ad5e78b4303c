"""Somebody's code as an algorithm like any other: backtest, sweep and floor hold it, and never run a line of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from omc.errors import InvalidInput, Refused
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.strategy.description import Description, Prediction, Scalar, Traits
from omc.strategy.parameter import Parameter
from omc.strategy.sandbox_port import Sandbox
from omc.trading.exits import Exits


class SandboxedAlgorithm:
    """One setting of the parameters of the code in a sandbox, which any number of settings share.

    It keeps scikit-learn's contract (`clone` gives another setting on the same sandbox, not fitted) and what the
    algorithms that ship with the platform offer beside it. Faults are those of `Sandbox`.
    """

    def __init__(self, sandbox: Sandbox, parameters: Mapping[str, Scalar] | None = None) -> None:
        """InvalidInput for a parameter that the code does not have, and for a value out of its range. What the code
        itself refuses shows when it is asked."""
        self._sandbox = sandbox
        self._description = sandbox.describe()
        self._model: int | None = None
        self._content: bytes | None = None
        """What it has restored."""
        self._traits: Traits | None = None
        self._params = self._checked({**self._description.defaults, **(parameters or {})})

    # What it is

    @property
    def description_of_code(self) -> Description:
        return self._description

    @property
    def algorithm_type(self) -> str:
        return self._description.algorithm_type

    @property
    def description(self) -> str:
        return self._description.description

    @property
    def fewest_coins(self) -> int:
        return self._description.fewest_coins

    @property
    def most_coins(self) -> int | None:
        return self._description.most_coins

    @property
    def memory_bars(self) -> int:
        return self.traits.memory_bars

    @property
    def exits(self) -> Exits:
        return self.traits.exits

    @property
    def traits(self) -> Traits:
        """What its parameters make of it. InvalidInput when the code refuses them together."""
        if self._traits is None:
            self._traits = self._sandbox.traits(self._params)
        return self._traits

    @property
    def printed(self) -> str:
        return self._sandbox.printed

    def take_printed(self) -> str:
        """What its code has printed since this was last asked, as far as that is kept."""
        return self._sandbox.take_printed()

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that its sandbox has used, for all settings that share it."""
        return self._sandbox.cpu_s

    def check_coins(self, coins: Sequence[str]) -> None:
        """InvalidInput for fewer or more coins than it can decide on."""
        fewest, most = self.fewest_coins, self.most_coins
        if not fewest <= len(coins) <= (most or len(coins)):
            bounds = f"exactly {fewest}" if fewest == most else f"at least {fewest}"
            raise InvalidInput(f"{self.algorithm_type} needs {bounds} coins, not {len(coins)}")

    def check_together(self) -> None:
        """InvalidInput when its parameters contradict each other."""
        self._traits = self._sandbox.traits(self._params)

    # Its parameters

    def parameters(self) -> dict[str, Parameter]:
        """The numbers among its parameters, with their ranges."""
        return dict(self._description.parameters)

    def of(self, **params: Any) -> "SandboxedAlgorithm":
        """This code with `params` and otherwise its defaults."""
        return SandboxedAlgorithm(self._sandbox, params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return dict(self._params)

    def set_params(self, **params: Any) -> Self:
        """Change some parameters; when any is refused, none has changed. What was fitted with others is no longer its
        own."""
        checked = self._checked({**self._params, **params})
        # 1, 1.0 and True are equal, and not the same parameters.
        if any((type(value), value) != (type(checked[name]), checked[name]) for name, value in self._params.items()):
            self._traits = self._model = self._content = None
        self._params = checked
        return self

    def __getstate__(self) -> dict[str, Any]:
        # A copy has a sandbox of its own, which has restored nothing yet.
        return {**self.__dict__, "_model": None if self._content is not None else self._model}

    def __sklearn_clone__(self) -> "SandboxedAlgorithm":
        return SandboxedAlgorithm(self._sandbox, self._params)

    # What it decides

    def fit(self, frame: Frame, labels: FloatArray | None = None) -> Self:
        self._model, self._content = self._sandbox.fit(self._params, frame, labels), None
        return self

    def export(self) -> bytes:
        """What it has learned, for `restore` of another with the same code and parameters. InvalidInput when it was not
        fitted, or has no `fit`; CodeFailed names what cannot be stored."""
        if self._model is None or not self._description.fits:
            raise InvalidInput(f"{self.algorithm_type} has no fit method of its own, or was not fitted")
        return self._sandbox.export(self._model)

    def restore(self, content: bytes) -> Self:
        """Decide from now on by what one with the same code and parameters had learned."""
        self._model, self._content = self._sandbox.restore(self._params, content), content
        return self

    def _learned(self) -> int | None:
        """What its sandbox knows its model by."""
        if self._model is None and self._content is not None:
            self.restore(self._content)
        return self._model

    def predict(self, frame: Frame) -> FloatArray:
        self.check_coins(frame.coins)
        found = self._sandbox.predict(self._params, frame, self._learned())
        self._traits = found.traits
        return found.weights

    def predict_many(self, many: Iterable[Mapping[str, Scalar]], frame: Frame) -> Iterator[Prediction | Refused]:
        """For each of many settings, otherwise with these parameters, what it decides or why not; each is by itself, as
        `Sandbox.predict_many` says."""
        self.check_coins(frame.coins)
        return self._sandbox.predict_many(({**self._params, **each} for each in many), frame)

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        """`predict`: the sandbox has indicators of its own, which all settings of it share."""
        return self.predict(frame)

    def begin(self, tail: Frame) -> FloatArray:
        """Weights, (C,), of the last bar of `tail`, which holds `memory_bars` bars or all that there are."""
        self.check_coins(tail.coins)
        return self._sandbox.begin(self._params, tail, self._learned())

    def decide_next(self, time: datetime, bid: FloatArray, ask: FloatArray, last: FloatArray) -> FloatArray:
        """Weights, (C,), of the bar after the last that it was given. One that was begun goes on so, and only one of
        those that share a sandbox."""
        return self._sandbox.decide(time, bid, ask, last)

    def close(self) -> None:
        """End its sandbox, which others may share: asked again, it starts anew."""
        self._sandbox.close()

    def _checked(self, params: Mapping[str, Scalar]) -> dict[str, Scalar]:
        about = self._description
        for name, value in params.items():
            if name not in about.defaults:
                known = ", ".join(about.defaults) or "none"
                raise InvalidInput(f"{about.algorithm_type} has no parameter {name!r}; it has {known}")
            if name in about.parameters:
                about.parameters[name].check(about.algorithm_type, name, value)
        for name in about.required:
            if params[name] is None:
                raise InvalidInput(f"{about.algorithm_type} has no default for its parameter {name!r}")
        return dict(params)
