"""Every try that touched an algorithm, for good: who tries often enough finds something that looks good by chance.

A try is a backtest that ended, or a point of a sweep; of every version of the algorithm, failed or not, pruned or not.
Deleting a run takes nothing back. Tries are kept as a tally a source, so that a sweep of 100,000 points is one row.
"""

from dataclasses import dataclass, field
from typing import Protocol, Self
from uuid import UUID

import numpy as np
from numpy.typing import ArrayLike

NAN = float("nan")
FEWEST_RETURNS = 30
"""A ratio of fewer returns is no measurement: two that are nearly alike show any ratio whatever."""
_POWERS = 4


@dataclass(frozen=True, slots=True)
class Tally:
    """How many tries there were, and what the Sharpe ratios of those that were `measured` say together.

    An annualized ratio of T years is uncertain by 1/T (Lo 2002), whatever its bars, so one of three days shows ±30
    without any meaning. Each is weighted by T squared: `powers` are the sums of T, T², T³ and T⁴, `mean_sharpe` is the
    weighted mean (0 when none was measured), and `squares` the weighted sum of squared deviations from it.
    """

    tries: int = 0
    measured: int = 0
    mean_sharpe: float = 0.0
    squares: float = 0.0
    powers: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    @classmethod
    def of(cls, sharpes: ArrayLike, returns: ArrayLike, bars_per_year: ArrayLike) -> Self:
        """One try for each of (N,) annualized `sharpes`, measured on that many `returns`, of which a year has
        `bars_per_year`; the latter two (N,) or one for all. A try with a number that is NaN or infinite, or with fewer
        than FEWEST_RETURNS, has no ratio."""
        ratios, counts, years = np.broadcast_arrays(*(np.asarray(each, float) for each in (sharpes, returns, returns)))
        with np.errstate(divide="ignore", invalid="ignore"):
            years = years / np.asarray(bars_per_year, float)
        known = np.isfinite(ratios) & np.isfinite(years) & (counts >= FEWEST_RETURNS) & (years > 0)
        ratios, years = ratios[known], years[known]
        if not ratios.size:
            return cls(known.size)
        weights = years**2
        mean = float((weights * ratios).sum() / weights.sum())
        first, second, third, fourth = (float((years**power).sum()) for power in range(1, _POWERS + 1))
        squares = float((weights * (ratios - mean) ** 2).sum())
        return cls(known.size, ratios.size, mean, squares, (first, second, third, fourth))

    def __add__(self, other: "Tally") -> "Tally":
        """Both together (Chan, Golub and LeVeque 1979: the updating formula that loses no digits)."""
        if not (self.measured and other.measured):
            kept = self if self.measured else other
            return Tally(self.tries + other.tries, kept.measured, kept.mean_sharpe, kept.squares, kept.powers)
        powers = _combined(self.powers, other.powers, 1.0)
        apart, part = other.mean_sharpe - self.mean_sharpe, other.powers[1] / powers[1]
        return Tally(
            self.tries + other.tries,
            self.measured + other.measured,
            self.mean_sharpe + apart * part,
            self.squares + other.squares + apart * apart * part * self.powers[1],
            powers,
        )

    def __sub__(self, part: "Tally") -> "Tally":
        """What is left without `part` of it: the inverse of adding it."""
        tries, measured = self.tries - part.tries, self.measured - part.measured
        powers = _combined(self.powers, part.powers, -1.0)
        if measured <= 0 or powers[1] <= 0:
            return Tally(tries)
        mean = self.mean_sharpe + (self.mean_sharpe - part.mean_sharpe) * part.powers[1] / powers[1]
        between = (part.mean_sharpe - mean) ** 2 * part.powers[1] * powers[1] / self.powers[1]
        return Tally(tries, measured, mean, max(0.0, self.squares - part.squares - between), powers)

    def variance_at(self, years: float) -> float:
        """The variance that annualized ratios of such tries would have, had all of them been of that many `years`; NaN
        with fewer than two that were measured. Of tries of one length, asked for that length, it is their sample
        variance.

        As much of it as tries without skill show by chance shrinks with the time that they were measured on; what goes
        beyond that are differences between the tries themselves, which no time changes. They are told apart by the
        method of moments for given weights (DerSimonian and Kacker 2007, equation 6).
        """
        if self.measured < 2 or not years > 0:
            return NAN
        first, second, third, fourth = self.powers
        by_chance, spread = first - third / second, second - fourth / second
        if not (by_chance > 0 and spread > 0):
            return NAN
        return min(self.squares / by_chance, 1.0) / years + max(0.0, self.squares - by_chance) / spread

    @property
    def variance_sharpe(self) -> float:
        """Across the tries that were measured, had all of them been as long as those that weigh most usually are."""
        return self.variance_at(self.powers[2] / self.powers[1]) if self.measured > 1 else NAN


def _combined(ours: tuple[float, ...], theirs: tuple[float, ...], sign: float) -> tuple[float, float, float, float]:
    first, second, third, fourth = (a + sign * b for a, b in zip(ours, theirs, strict=True))
    return first, second, third, fourth


class TriesLedger(Protocol):
    """Written by the stores of backtests and sweeps, together with what they store."""

    async def tally(self, algorithm_id: UUID) -> Tally:
        """All tries of an algorithm, whichever its version; none for one that nobody tried."""
        ...


@dataclass(slots=True)
class MemoryTries:
    """A TriesLedger that lives and dies with the process; the stores that write to it share it."""

    kept: dict[UUID, dict[UUID, Tally]] = field(default_factory=dict)

    def count(self, algorithm_id: UUID, source_id: UUID, more: Tally, replaced: Tally = Tally()) -> None:
        """Count tries of a backtest or a sweep; `replaced` are those among them that were counted before, as they were
        then."""
        sources = self.kept.setdefault(algorithm_id, {})
        sources[source_id] = sources.get(source_id, Tally()) - replaced + more

    async def tally(self, algorithm_id: UUID) -> Tally:
        return sum(self.kept.get(algorithm_id, {}).values(), Tally())
