"""Where somebody's code runs, as the rest of the platform asks it: the port, and its twin in this process.

The twin runs the same bench that stands inside a locked process, with the first wall around the code and no second: it
serves tests and what is known to be harmless, and keeps nobody from anything that the first wall lets through.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import Any, Protocol, Self

from omc.errors import Refused
from omc.feature.frame import FloatArray, Frame
from omc.strategy.description import Description, Prediction, Scalar, Traits
from omc.strategy.usable import usable
from omc.strategy.workbench import Factory, Held, Workbench

Parameters = Mapping[str, Scalar]


class Sandbox(Protocol):
    """Holds one piece of code. It may be asked from any thread, and answers one question at a time.

    InvalidInput for code or parameters that are refused before they run; CodeFailed when the code raised, or answered
    what cannot be used; SandboxDied and DeadlineExceeded when it took its process with it, which the next question
    finds started anew, without what was fitted or begun in it.
    """

    def describe(self) -> Description: ...

    def traits(self, parameters: Parameters) -> Traits: ...

    def fit(self, parameters: Parameters, frame: Frame, labels: FloatArray | None = None) -> int:
        """The number of a fitted model, which lives in the process: the latest few are kept."""
        ...

    def export(self, model: int) -> bytes:
        """What a fitted model has learned, for `restore` in a sandbox of the same code: bytes that nobody reads
        outside of one. CodeFailed names what cannot be stored."""
        ...

    def restore(self, parameters: Parameters, content: bytes) -> int:
        """The number of a model that has learned what `export` gave of one with the same parameters. CodeFailed for
        bytes of another kind."""
        ...

    def predict(self, parameters: Parameters, frame: Frame, model: int | None = None) -> Prediction: ...

    def predict_many(self, many: Iterable[Parameters], frame: Frame) -> Iterator[Prediction | Refused]:
        """In the order of `many`, each as code decides that has done nothing before: a decision does not depend on
        which others were made, nor on where. What one point comes to is its own, and ends no other."""
        ...

    def begin(self, parameters: Parameters, tail: Frame, model: int | None = None) -> FloatArray:
        """Hold the last bars of `tail`, as many as the algorithm remembers, and decide on the last: (C,) weights."""
        ...

    def decide(self, time: datetime, bid: FloatArray, ask: FloatArray, last: FloatArray) -> FloatArray:
        """(C,) weights of the next bar, of which (C,) prices are handed in, after those that it holds."""
        ...

    @property
    def printed(self) -> str:
        """What the code has printed so far, as far as it is kept."""
        ...

    def take_printed(self) -> str:
        """What it has printed since this was last asked, as far as that is kept."""
        ...

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that it has used since it was made, in processes that have ended as well. It never
        falls, and may be asked while a question is being answered."""
        ...

    def close(self) -> None:
        """Leave nothing behind. Asked again, it starts anew."""
        ...


@dataclass
class MemorySandbox:
    """A Sandbox in this process: without deadlines and limits, and without a second wall."""

    source: str
    load: Callable[[str], Factory]
    _held: Held | None = field(default=None, init=False)
    _used_s: float = field(default=0.0, init=False)

    def describe(self) -> Description:
        with self._metered():
            return self._bench.describe()

    def traits(self, parameters: Parameters) -> Traits:
        with self._metered():
            return self._bench.traits(parameters)

    def fit(self, parameters: Parameters, frame: Frame, labels: FloatArray | None = None) -> int:
        with self._metered():
            return self._bench.fit(parameters, frame, labels)

    def export(self, model: int) -> bytes:
        with self._metered():
            return self._bench.export(model)

    def restore(self, parameters: Parameters, content: bytes) -> int:
        with self._metered():
            return self._bench.restore(parameters, content)

    def predict(self, parameters: Parameters, frame: Frame, model: int | None = None) -> Prediction:
        held = self._holding(frame)
        with self._metered():
            weights, traits = self._bench.predict(parameters, held, model)
        return Prediction(usable(weights.copy(), len(frame.coins)), traits)

    def predict_many(self, many: Iterable[Parameters], frame: Frame) -> Iterator[Prediction | Refused]:
        for parameters in many:
            held = self._holding(frame)
            try:
                with self._metered():
                    weights, traits = self._bench.predict_anew(parameters, held)
                yield Prediction(usable(weights.copy(), len(frame.coins)), traits)
            except Refused as refusal:
                yield refusal

    def _holding(self, frame: Frame) -> Held:
        if self._held is None or self._held.frame is not frame:
            self._held = Held(frame)
        return self._held

    def begin(self, parameters: Parameters, tail: Frame, model: int | None = None) -> FloatArray:
        with self._metered():
            return usable(self._bench.begin(parameters, tail, model).copy(), len(tail.coins))

    def decide(self, time: datetime, bid: FloatArray, ask: FloatArray, last: FloatArray) -> FloatArray:
        with self._metered():
            return usable(self._bench.decide(time, bid, ask, last).copy(), len(bid))

    @property
    def printed(self) -> str:
        return self._bench.printed.text

    def take_printed(self) -> str:
        return self._bench.printed.take()

    @property
    def cpu_s(self) -> float:
        """Of the threads that asked, in questions that are answered."""
        return self._used_s

    def close(self) -> None:
        self.__dict__.pop("_bench", None)
        self._held = None

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has seen nothing yet, as one of a process has not.
        return MemorySandbox, (self.source, self.load)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def _metered(self) -> Iterator[None]:
        began = time.thread_time()
        try:
            yield
        finally:
            self._used_s += time.thread_time() - began

    @cached_property
    def _bench(self) -> Workbench:
        return Workbench(self.source, self.load)
