"""A past that was tested and stored: a backtest, or the best point of a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from omc.backtest.run import BacktestRun, RunStatus
from omc.backtest.sweep import Sweep
from omc.errors import InvalidInput
from omc.strategy.algorithm import AlgorithmRecord
from omc.strategy.parameter import same_parameters
from omc.strategy.registry import make


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was tested, and what it showed. `source` names it for a person."""

    source: str
    algorithm_type: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    code: str | None = None

    @classmethod
    def of_run(cls, run: BacktestRun, code: str | None = None) -> Self | None:
        """A backtest that completed; `code` is that of the version that it tested."""
        if run.status is not RunStatus.COMPLETED or run.results is None:
            return None
        return cls(f"backtest {run.id}", run.spec.algorithm_type, run.spec.parameters, run.results["metrics"], code)

    @classmethod
    def of_sweep(cls, sweep: Sweep, code: str | None = None) -> Self | None:
        """The best point of a sweep that has one; `code` is that of the version that it searched."""
        if sweep.best is None:
            return None
        source = f"point {sweep.best['index']} of sweep {sweep.id}"
        parameters = {**sweep.spec.parameters, **sweep.best["parameters"]}
        return cls(source, sweep.spec.algorithm_type, parameters, sweep.best["metrics"], code)

    def is_of(self, record: AlgorithmRecord) -> bool:
        """Whether it tested what `record` does now: the same algorithm with the same parameters, defaults included. A
        version is its content, so a point of a sweep counts for the version that took its parameters over."""
        if record.code != self.code or self.algorithm_type != record.algorithm_type:
            return False
        if record.code is not None:
            # They are stored whole, so the code need not be asked for its defaults.
            return same_parameters(record.parameters, self.parameters)
        try:
            ours, tested = (make(record.algorithm_type, each) for each in (record.parameters, self.parameters))
        except InvalidInput:
            return False
        return ours.get_params() == tested.get_params()
