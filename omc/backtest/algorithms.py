"""The algorithms of many points, made and asked at once: built-in ones here, people's own code behind its walls."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from omc.errors import CodeFailed, DeadlineExceeded, InvalidInput, Refused, SandboxDied, SandboxRefused
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.strategy.algorithm import Algorithm
from omc.strategy.builtin import Builtin
from omc.strategy.description import Prediction
from omc.strategy.sandboxed import SandboxedAlgorithm
from omc.trading.exits import Exits


class Decided(NamedTuple):
    """What a point decided on."""

    weights: FloatArray
    """(T, C)."""
    exits: Exits
    memory_bars: int
    """Rows that a decision looks back, its own included."""


@dataclass(frozen=True, slots=True)
class Algorithms:
    """Makes an algorithm for each of many points, whose values were found to be in range one by one before: only what
    they are together is left to check. That spares most of what `registry.make` costs."""

    base: Algorithm
    fixed: Mapping[str, Any]
    most_cpu_s: float = inf

    @property
    def of_code(self) -> bool:
        """Whether they are somebody's own code, of which nothing is known but what it says point by point."""
        return isinstance(self.base, SandboxedAlgorithm)

    @property
    def cpu_s(self) -> float:
        """CPU seconds that they have used so far in processes of their own."""
        return self.base.cpu_s if isinstance(self.base, SandboxedAlgorithm) else 0.0

    def decide_each(
        self, many: Sequence[Mapping[str, Any]], frame: Frame, indicators: Indicators
    ) -> Iterator[Decided | Exception]:
        """What each of many points decides on (T, C) `frame`, or why not: whatever it raises is its own.

        People's code decides each as if nothing had run before, so that no figures depend on who tries which points;
        it shares indicators of its sandbox's own. SandboxRefused where no code is run, Unavailable where its sandbox
        does not start."""
        if isinstance(self.base, SandboxedAlgorithm):
            asked = self.base.predict_many(({**self.fixed, **searched} for searched in many), frame)
            yield from (_decided(found) for found in asked)
            return
        for searched in many:
            try:
                made = self.make(searched)
                yield Decided(made.decide(frame, indicators), made.exits, made.memory_bars)
            except Exception as fault:
                yield fault

    def get_ready(self) -> None:
        """Start what takes time to start. Code that fails at once shows it again when it is asked."""
        if isinstance(self.base, SandboxedAlgorithm):
            with suppress(CodeFailed, InvalidInput):
                self.base.check_together()

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
        self._check_time()
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
        self._check_time()
        try:
            return self.unchecked(searched).memory_bars
        except SandboxDied:
            raise
        except (InvalidInput, CodeFailed):
            return None

    def _check_time(self) -> None:
        """DeadlineExceeded when all that was looked at took too long together, each being quick enough by itself."""
        if self.cpu_s > self.most_cpu_s:
            raise DeadlineExceeded(
                f"the code takes too long to look at parameters: {self.most_cpu_s:g} s of processor time were not "
                "enough for those of this search"
            )

    def close(self) -> None:
        """End what all that it made share."""
        self.base.close()


def _decided(found: Prediction | Refused) -> Decided | Exception:
    match found:
        case Prediction(weights, traits):
            return Decided(weights, traits.exits, traits.memory_bars)
        case SandboxRefused():
            raise found
        case refusal:
            return refusal
