"""One question that an algorithm must answer before it is trusted further: with its figure, its threshold, and why."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Self


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and a sentence of it. Where nothing could be, `value` is None and the sentence says why, and
    what to run; a number that is not finite is no figure either."""

    value: float | None
    said: str

    @property
    def known(self) -> float | None:
        return self.value if self.value is not None and isfinite(self.value) else None


@dataclass(frozen=True, slots=True)
class Gate:
    """`figure` is None when there is nothing to measure, which never passes."""

    name: str
    figure: float | None
    threshold: float
    passed: bool
    why: str

    @classmethod
    def at_least(cls, name: str, figure: Figure, threshold: float) -> Self:
        value = figure.known
        return cls(name, value, threshold, value is not None and value >= threshold, figure.said)

    @classmethod
    def at_most(cls, name: str, figure: Figure, threshold: float) -> Self:
        value = figure.known
        return cls(name, value, threshold, value is not None and value <= threshold, figure.said)

    @classmethod
    def none_of(cls, name: str, findings: tuple[str, ...], fine: str) -> Self:
        """A gate that every finding closes; `fine` is what is said when there are none."""
        return cls.at_most(name, Figure(float(len(findings)), "; ".join(findings) or fine), 0.0)


@dataclass(frozen=True, slots=True)
class Standard:
    """What a tested past must show before paper trading. `max_drawdown` is a depth: 0.25 is a fall by a quarter."""

    min_trades: int = 20
    min_sharpe: float | None = None
    """None asks for none: there is no such gate then."""
    max_drawdown: float = 0.9


@dataclass(frozen=True, slots=True)
class StrictStandard:
    """What must be proven before real money. Sharpe ratios are annualized, probabilities from 0 to 1."""

    min_trades: int = 50
    max_drawdown: float = 0.25
    min_profit: float = 0.0
    """The fraction of the cash earned after all costs, with everything sold in the end."""
    min_out_of_sample_sharpe: float = 0.5
    min_deflated_sharpe: float = 0.95
    """The probability that the true Sharpe ratio is above what luck alone finds in as many tries."""
    max_pbo: float = 0.2
    """The probability that the best of the search is worse than its median on what it was not chosen by."""
    track_record_confidence: float = 0.95
    """With which the record must be long enough to tell a Sharpe ratio above zero from luck."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`validated` opens paper trading, `deployable` real money."""

    validated: Standard = field(default=Standard())
    deployable: StrictStandard = field(default=StrictStandard())
