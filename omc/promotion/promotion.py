"""Draft, validated, deployable: each step asks its gates, and the answer shows all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from omc.errors import Conflict
from omc.promotion.evidence import Evidence
from omc.promotion.gate import Figure, Gate, Standard, StrictStandard, Thresholds
from omc.promotion.pieces import UNTRIED
from omc.promotion.proof import Proof
from omc.promotion.trials import Tally
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus

_NEXT: Mapping[AlgorithmStatus, AlgorithmStatus] = {
    AlgorithmStatus.DRAFT: AlgorithmStatus.VALIDATED,
    AlgorithmStatus.VALIDATED: AlgorithmStatus.DEPLOYABLE,
}


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of an algorithm when its next step is asked for. `contract` and `look_ahead` are findings against
    it, `pieces` is how many decisions are others in pieces; `evidence` is newest first; a draft needs no `proof`."""

    record: AlgorithmRecord
    contract: tuple[str, ...]
    look_ahead: tuple[str, ...]
    evidence: Sequence[Evidence]
    tally: Tally
    proof: Proof = field(default=Proof({}, 0.0))
    pieces: Figure = UNTRIED


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was asked and answered: `target` is reached when every gate passed."""

    target: AlgorithmStatus
    gates: tuple[Gate, ...]
    tally: Tally

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)

    @property
    def refusal(self) -> str:
        """The gates that did not pass, in one sentence."""
        failed = "; ".join(f"{gate.name}: {gate.why}" for gate in self.gates if not gate.passed)
        return f"not {self.target} yet: {failed}"


def next_status(record: AlgorithmRecord) -> AlgorithmStatus:
    """The step that `record` may ask for; Conflict when there is none left to take."""
    if record.status not in _NEXT:
        raise Conflict(f"the algorithm is {record.status} already: there is nothing to promote it to")
    return _NEXT[record.status]


def judge(case: Case, thresholds: Thresholds) -> Promotion:
    """May `case.record` take its next step? Of the stored evidence the newest that tested this very content counts.
    Conflict when there is no step left to take."""
    target = next_status(case.record)
    kept = (
        Gate.none_of("contract", case.contract, "the contract of algorithms holds"),
        Gate.none_of("look_ahead", case.look_ahead, "no decision changes with the future"),
    )
    if target is AlgorithmStatus.VALIDATED:
        relevant = [each for each in case.evidence if each.is_of(case.record)]
        shown = (Gate.at_most("pieces", case.pieces, 0.0), *_shown(relevant, thresholds.validated))
    else:
        shown = _proven(case.proof, thresholds.deployable)
    return Promotion(target, (*kept, *shown), case.tally)


def _shown(relevant: Sequence[Evidence], standard: Standard) -> tuple[Gate, ...]:
    """Whether it was tested at all, and is not beyond all reason."""
    metrics: Mapping[str, float | None] = relevant[0].metrics if relevant else {}
    trades, sharpe, drawdown = (metrics.get(name) for name in ("trades", "sharpe", "max_drawdown"))
    depth = None if drawdown is None else -drawdown
    source = f"{relevant[0].source} counts" if relevant else "no completed backtest or sweep tried these parameters"
    gates = [
        Gate.at_least("tested", Figure(float(len(relevant)), source), 1.0),
        Gate.at_least("trades", _counted(trades, f"trades, {standard.min_trades} needed"), standard.min_trades),
        Gate.at_most("max_drawdown", _fallen(depth, standard.max_drawdown), standard.max_drawdown),
    ]
    if standard.min_sharpe is not None:
        said = "not measured" if sharpe is None else f"{sharpe:.2f}"
        ratio = Figure(sharpe, f"{said}, {standard.min_sharpe:g} needed")
        gates.insert(2, Gate.at_least("sharpe", ratio, standard.min_sharpe))
    return tuple(gates)


def _proven(proof: Proof, standard: StrictStandard) -> tuple[Gate, ...]:
    figure = proof.figure
    return (
        Gate.at_most("pieces", figure("pieces"), 0.0),
        Gate.at_least("tested", figure("tested"), 1.0),
        Gate.at_least("trades", figure("trades"), standard.min_trades),
        Gate.at_most("max_drawdown", figure("max_drawdown"), standard.max_drawdown),
        Gate.at_least("profit", figure("profit"), standard.min_profit),
        Gate.at_most("track_record", figure("track_record"), proof.days),
        Gate.at_least("out_of_sample_sharpe", figure("out_of_sample_sharpe"), standard.min_out_of_sample_sharpe),
        Gate.at_least("deflated_sharpe", figure("deflated_sharpe"), standard.min_deflated_sharpe),
        Gate.at_most("pbo", figure("pbo"), standard.max_pbo),
        Gate.at_most("parity", figure("parity"), 0.0),
    )


def _counted(count: float | None, of_what: str) -> Figure:
    return Figure(count, f"{'no' if count is None else f'{count:.0f}'} {of_what}")


def _fallen(depth: float | None, most: float) -> Figure:
    said = "was not measured" if depth is None else f"was {depth:.1%}"
    return Figure(depth, f"the deepest fall {said}, at most {most:.1%} is allowed")
