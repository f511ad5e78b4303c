"""Draft, validated, deployable: each step asks its gates, and the answer shows all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from omc.backtest.run import BacktestRun, RunStatus
from omc.backtest.sweep import Sweep, SweepPoint
from omc.errors import Conflict, InvalidInput
from omc.promotion.gate import Gate, Standard, Thresholds
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.registry import make

_NEXT: Mapping[AlgorithmStatus, AlgorithmStatus] = {
    AlgorithmStatus.DRAFT: AlgorithmStatus.VALIDATED,
    AlgorithmStatus.VALIDATED: AlgorithmStatus.DEPLOYABLE,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A tested past: what was tested, and what it showed. `source` names it for a person."""

    source: str
    algorithm_type: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float | None]

    @classmethod
    def of_run(cls, run: BacktestRun) -> Self | None:
        """A backtest that completed."""
        if run.status is not RunStatus.COMPLETED or run.results is None:
            return None
        return cls(f"backtest {run.id}", run.spec.algorithm_type, run.spec.parameters, run.results["metrics"])

    @classmethod
    def of_point(cls, sweep: Sweep, point: SweepPoint) -> Self | None:
        """A sweep's point that did not fail."""
        if point.error is not None:
            return None
        source = f"point {point.index} of sweep {sweep.id}"
        return cls(source, sweep.spec.algorithm_type, point.parameters, point.metrics)

    def is_of(self, record: AlgorithmRecord) -> bool:
        """Whether it tested what `record` does now: the same algorithm with the same parameters, defaults included. A
        version is its content, so a point of a sweep counts for the version that took its parameters over."""
        if record.code is not None or self.algorithm_type != record.algorithm_type:
            return False
        try:
            ours, tested = (make(record.algorithm_type, each) for each in (record.parameters, self.parameters))
        except InvalidInput:
            return False
        return ours.get_params() == tested.get_params()


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was asked and answered: `target` is reached when every gate passed."""

    target: AlgorithmStatus
    gates: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)

    @property
    def refusal(self) -> str:
        """The gates that did not pass, in one sentence."""
        failed = "; ".join(f"{gate.name}: {gate.why}" for gate in self.gates if not gate.passed)
        return f"not {self.target} yet: {failed}"


def judge(
    record: AlgorithmRecord, evidence: Sequence[Evidence], findings: Sequence[str], thresholds: Thresholds
) -> Promotion:
    """May `record` take its next step? `evidence` is newest first, and the newest that tested this very content counts;
    `findings` are what `contract.findings` found. Conflict when there is no step left to take."""
    if record.status not in _NEXT:
        raise Conflict(f"the algorithm is {record.status} already: there is nothing to promote it to")
    target = _NEXT[record.status]
    relevant = [each for each in evidence if each.is_of(record)]
    standard = thresholds.validated if target is AlgorithmStatus.VALIDATED else thresholds.deployable
    contract = Gate.at_most(
        "contract",
        float(len(findings)),
        0.0,
        f"the contract of algorithms is broken: {'; '.join(findings)}" if findings else "the contract holds",
    )
    tested = Gate.at_least(
        "tested",
        float(len(relevant)),
        1.0,
        f"{relevant[0].source} counts" if relevant else "no completed backtest or sweep tried these parameters",
    )
    return Promotion(target, (contract, tested, *_shown(relevant[0].metrics if relevant else {}, standard)))


def _shown(metrics: Mapping[str, float | None], standard: Standard) -> tuple[Gate, ...]:
    trades, sharpe, drawdown = (metrics.get(name) for name in ("trades", "sharpe", "max_drawdown"))
    depth = None if drawdown is None else -drawdown
    gates = [
        Gate.at_least(
            "trades", trades, standard.min_trades, f"{_said(trades, '.0f')} trades, {standard.min_trades} needed"
        ),
        Gate.at_most(
            "max_drawdown",
            depth,
            standard.max_drawdown,
            f"the deepest fall was {_said(depth, '.1%')}, at most {standard.max_drawdown:.1%} is allowed",
        ),
    ]
    if standard.min_sharpe is not None:
        why = f"{_said(sharpe)}, {standard.min_sharpe:g} needed"
        gates.insert(1, Gate.at_least("sharpe", sharpe, standard.min_sharpe, why))
    return tuple(gates)


def _said(figure: float | None, form: str = ".2f") -> str:
    return "not measured" if figure is None else format(figure, form)
