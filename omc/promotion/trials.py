"""Every try that touched an algorithm, for good: who tries often enough finds something that looks good by chance.

A try is a backtest that ended, or a point of a sweep; of every version of the algorithm, failed or not, pruned or not.
Deleting a run takes nothing back. Tries are kept as a tally a source, so that a sweep of 100,000 points is one row.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Protocol, Self
from uuid import UUID

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many tries there were, and the annualized Sharpe ratios of those that were `measured`.

    `mean_sharpe` is 0 when none was; `squares` is the sum of their squared deviations from it.
    """

    tries: int = 0
    measured: int = 0
    mean_sharpe: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, sharpes: Iterable[float | None]) -> Self:
        """One try for each; None, or a number that is not finite, is a try without a Sharpe ratio."""
        given = list(sharpes)
        known = [each for each in given if each is not None and isfinite(each)]
        mean = sum(known) / len(known) if known else 0.0
        return cls(len(given), len(known), mean, sum((each - mean) ** 2 for each in known))

    def __add__(self, other: "Tally") -> "Tally":
        """Both together (Chan, Golub and LeVeque 1979: the updating formula that loses no digits)."""
        measured = self.measured + other.measured
        apart, part = other.mean_sharpe - self.mean_sharpe, other.measured / measured if measured else 0.0
        return Tally(
            self.tries + other.tries,
            measured,
            self.mean_sharpe + apart * part,
            self.squares + other.squares + apart * apart * part * self.measured,
        )

    def __sub__(self, part: "Tally") -> "Tally":
        """What is left without `part` of it: the inverse of adding it."""
        measured = self.measured - part.measured
        if measured == 0:
            return Tally(self.tries - part.tries)
        mean = self.mean_sharpe + (self.mean_sharpe - part.mean_sharpe) * part.measured / measured
        between = (part.mean_sharpe - mean) ** 2 * part.measured * measured / self.measured
        squares = max(0.0, self.squares - part.squares - between)
        return Tally(self.tries - part.tries, measured, mean, squares)

    @property
    def variance_sharpe(self) -> float:
        """Sample variance across the tries that were measured; NaN with fewer than two."""
        return self.squares / (self.measured - 1) if self.measured > 1 else NAN


class TriesLedger(Protocol):
    """Written by the stores of backtests and sweeps, together with what they store."""

    async def tally(self, algorithm_id: UUID) -> Tally:
        """All tries of an algorithm, whichever its version; none for one that nobody tried."""
        ...


@dataclass(slots=True)
class MemoryTries:
    """A TriesLedger that lives and dies with the process; the stores that write to it share it."""

    kept: dict[UUID, dict[UUID, Tally]] = field(default_factory=dict)

    def count(
        self,
        algorithm_id: UUID,
        source_id: UUID,
        sharpes: Iterable[float | None],
        replaced: Iterable[float | None] = (),
    ) -> None:
        """Count tries of a backtest or a sweep; `replaced` are the former ratios of those that were counted before."""
        sources = self.kept.setdefault(algorithm_id, {})
        sources[source_id] = sources.get(source_id, Tally()) - Tally.of(replaced) + Tally.of(sharpes)

    async def tally(self, algorithm_id: UUID) -> Tally:
        return sum(self.kept.get(algorithm_id, {}).values(), Tally())
