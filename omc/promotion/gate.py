"""One question that an algorithm must answer before it is trusted further: with its figure, its threshold, and why."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Gate:
    """`figure` is None when there is nothing to measure, which never passes."""

    name: str
    figure: float | None
    threshold: float
    passed: bool
    why: str

    @classmethod
    def at_least(cls, name: str, figure: float | None, threshold: float, why: str) -> "Gate":
        return cls(name, figure, threshold, figure is not None and figure >= threshold, why)

    @classmethod
    def at_most(cls, name: str, figure: float | None, threshold: float, why: str) -> "Gate":
        return cls(name, figure, threshold, figure is not None and figure <= threshold, why)


@dataclass(frozen=True, slots=True)
class Standard:
    """What a tested past must show. `max_drawdown` is a depth: 0.25 is a fall by a quarter."""

    min_trades: int
    min_sharpe: float | None
    """None asks for none: there is no such gate then."""
    max_drawdown: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`validated` opens paper trading, `deployable` real money."""

    validated: Standard = field(default=Standard(min_trades=20, min_sharpe=None, max_drawdown=0.9))
    deployable: Standard = field(default=Standard(min_trades=50, min_sharpe=0.5, max_drawdown=0.25))
