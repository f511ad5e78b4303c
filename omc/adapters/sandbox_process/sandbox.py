"""A Sandbox (`omc/strategy/sandbox_port.py`) whose code runs in a process of its own, behind both walls."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from omc.adapters.sandbox_process.answers import description_of, traits_of, whole
from omc.adapters.sandbox_process.frames import microseconds
from omc.adapters.sandbox_process.held_frames import HeldFrames
from omc.adapters.sandbox_process.process import SandboxProcess
from omc.adapters.sandbox_process.shared_memory import Answers, sealed_bytes
from omc.errors import CodeFailed, InvalidInput, Refused, SandboxDied, Unavailable
from omc.feature.frame import FloatArray, Frame
from omc.strategy.description import Description, Prediction, Traits
from omc.strategy.fitted_model import MOST_BYTES
from omc.strategy.sandbox_port import Parameters
from omc.strategy.usable import usable

_MOST_MODELS = 2**53
# What a model weighs at most, and the file around it.
_MODEL_CELLS = (MOST_BYTES + 8 * 2**20) // 8
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that an answer may take."""

    load_s: float = 10.0
    """To load the code, and to describe it."""
    predict_s: float = 60.0
    """To decide on a whole frame."""
    fit_s: float = 300.0
    decide_s: float = 2.0
    """To decide on one bar."""


class ProcessSandbox:
    """Starts its process when it is first asked, and anew when it was asked after an end; `spawn` gives one that has
    loaded nothing yet."""

    def __init__(self, spawn: Callable[[], SandboxProcess], source: str, deadlines: Deadlines) -> None:
        self._spawn, self._source, self._deadlines = spawn, source, deadlines
        self._lock = threading.RLock()
        self._process: SandboxProcess | None = None
        self._used: tuple[float, SandboxProcess | None] = 0.0, None
        self._printed = ""
        self._description: Description | None = None
        self._frames = HeldFrames()
        self._answers: Answers | None = None
        self._begun: SandboxProcess | None = None
        self._fitted: dict[int, tuple[SandboxProcess, int]] = {}
        self._fits = 0

    def describe(self) -> Description:
        with self._lock:
            self._running()
            if self._description is None:
                raise CodeFailed("the code says nothing of itself")
            return self._description

    def traits(self, parameters: Parameters) -> Traits:
        with self._lock:
            process = self._running()
            said = process.ask("traits", {"parameters": dict(parameters)}, deadline_s=self._deadlines.load_s)
            return self._believed(process, lambda: traits_of(said))

    def fit(self, parameters: Parameters, frame: Frame, labels: FloatArray | None = None) -> int:
        with self._lock:
            process = self._running()
            request = {"parameters": dict(parameters), "frame": self._hold(process, frame, labels)}
            said = process.ask("fit", request, deadline_s=self._deadlines.fit_s)
            number = self._believed(process, lambda: whole(said, "model", 1, _MOST_MODELS))
            return self._number(process, number)

    def export(self, model: int) -> bytes:
        with self._lock:
            process = self._running()
            request = {"model": self._inner(process, model)}
            answers = self._room(process, _MODEL_CELLS)
            said = process.ask("export", request, deadline_s=self._deadlines.predict_s)
            size = self._believed(process, lambda: whole(said, "bytes", 1, 8 * _MODEL_CELLS))
            return answers.copy((-(-size // 8),)).tobytes()[:size]

    def restore(self, parameters: Parameters, content: bytes) -> int:
        if not 0 < len(content) <= 8 * _MODEL_CELLS:
            raise CodeFailed(f"a stored model of {len(content):,} bytes cannot be")
        with self._lock:
            process = self._running()
            request, memory = {"parameters": dict(parameters), "bytes": len(content)}, sealed_bytes(content)
            try:
                said = process.ask("restore", request, memory=memory, deadline_s=self._deadlines.predict_s)
            finally:
                os.close(memory)
            return self._number(process, self._believed(process, lambda: whole(said, "model", 1, _MOST_MODELS)))

    def _number(self, process: SandboxProcess, inner: int) -> int:
        """What a model of this process is called here."""
        self._fits += 1
        self._fitted[self._fits] = process, inner
        return self._fits

    def predict(self, parameters: Parameters, frame: Frame, model: int | None = None) -> Prediction:
        with self._lock:
            return self._predict(frame, {"parameters": dict(parameters), "model": self._inner(self._running(), model)})

    def _predict(self, frame: Frame, asked: dict[str, Any]) -> Prediction:
        with self._lock:
            process = self._running()
            request = {**asked, "frame": self._hold(process, frame, None)}
            answers = self._room(process, frame.last.size)
            said = process.ask("predict", request, deadline_s=self._deadlines.predict_s)
            traits = self._believed(process, lambda: traits_of(said))
            # Copied first: the code may write to its answer while it is looked at.
            return Prediction(usable(answers.copy(frame.last.shape), len(frame.coins)), traits)

    def predict_many(self, many: Iterable[Parameters], frame: Frame) -> Iterator[Prediction | Refused]:
        for parameters in many:
            try:
                yield self._predict(frame, {"parameters": dict(parameters), "model": None, "anew": True})
            except Refused as refusal:
                yield refusal

    def begin(self, parameters: Parameters, tail: Frame, model: int | None = None) -> FloatArray:
        with self._lock:
            memory_bars = max(1, self.traits(parameters).memory_bars)
            process = self._running()
            held = self._hold(process, tail.rows(max(0, len(tail) - memory_bars), len(tail)), None)
            request = {"parameters": dict(parameters), "frame": held, "model": self._inner(process, model)}
            weights = process.begin(request, len(tail.coins), deadline_s=self._deadlines.predict_s)
            self._begun = process
            return usable(weights, len(tail.coins))

    def decide(self, time: datetime, bid: FloatArray, ask: FloatArray, last: FloatArray) -> FloatArray:
        with self._lock:
            if self._begun is None or not self._begun.alive:
                # Whoever was told that it was not the code's fault is not told otherwise now.
                blameless = self._begun is not None and self._begun.blameless
                raise (Unavailable if blameless else SandboxDied)("what was begun ended with its sandbox: begin again")
            prices = np.array((bid, ask, last), dtype=np.float64)
            return usable(self._begun.decide(microseconds(time), prices, deadline_s=self._deadlines.decide_s), len(bid))

    @property
    def printed(self) -> str:
        return self._printed + ("" if self._process is None else self._process.printed.text)

    def take_printed(self) -> str:
        return "" if self._process is None else self._process.printed.take()

    @property
    def cpu_s(self) -> float:
        ended_s, running = self._used
        return ended_s + (0.0 if running is None else running.cpu_s)

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # The process

    def _running(self) -> SandboxProcess:
        if self._process is None or not self._process.alive:
            self._let_go()
            self._process = self._loaded()
        return self._process

    def _loaded(self) -> SandboxProcess:
        """A new process that has loaded the code."""
        process = self._spawn()
        # Together, for whoever reads them meanwhile. Code that fails to load has used its time, too.
        self._used = self.cpu_s, process
        try:
            said = process.load(self._source, deadline_s=self._deadlines.load_s)
            self._description = self._believed(process, lambda: description_of(said))
        except BaseException:
            process.close()
            raise
        return process

    def _let_go(self) -> None:
        if self._process is not None:
            self._process.close()
            self._printed = self._process.printed.text
        if self._answers is not None:
            self._answers.close()
        self._frames.clear()
        self._process = self._answers = self._begun = None
        self._fitted.clear()

    def _hold(self, process: SandboxProcess, frame: Frame, labels: FloatArray | None) -> int:
        """The number by which the process knows the frame, which it is given unless it has it."""
        found = self._frames.find(frame, labels)
        if found is None:
            found, gone = self._frames.add(frame, labels)
            try:
                process.ask("hold", found.request(gone), memory=found.descriptor, deadline_s=self._deadlines.load_s)
            except BaseException:
                self._frames.forget(found)
                raise
        return found.number

    def _room(self, process: SandboxProcess, cells: int) -> Answers:
        """Memory that the process can answer with `cells` weights in."""
        if self._answers is not None and self._answers.cells >= max(cells, 1):
            return self._answers
        if self._answers is not None:
            self._answers.close()
            self._answers = None
        answers = Answers(max(cells, 1))
        try:
            request = {"cells": answers.cells}
            process.ask("room", request, memory=answers.descriptor, deadline_s=self._deadlines.load_s)
        except BaseException:
            # The process goes on writing to what it had before, which nobody reads any more.
            answers.close()
            raise
        self._answers = answers
        return answers

    def _inner(self, process: SandboxProcess, model: int | None) -> int | None:
        """What the process calls a model."""
        if model is None:
            return None
        fitted, number = self._fitted.get(model, (None, 0))
        if fitted is not process:
            raise CodeFailed("its fitted model is gone, as its sandbox is")
        return number

    @staticmethod
    def _believed(process: SandboxProcess, look: Callable[[], Answer]) -> Answer:
        """What comes of a look at an answer; one that cannot be ends the process."""
        try:
            return look()
        except InvalidInput as reason:
            raise process.breaks(reason) from None
