"""An algorithm is promoted a step at a time, on a tested past of its own, and every gate is shown."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from omc.backtest.run import BacktestRun, BacktestSpec, RunStatus
from omc.errors import Conflict
from omc.promotion.evidence import Evidence
from omc.promotion.gate import Figure, Standard, StrictStandard, Thresholds
from omc.promotion.promotion import Case, judge
from omc.promotion.proof import Proof
from omc.promotion.trials import Tally
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus

NOW = datetime(2025, 3, 1, tzinfo=UTC)
RECORD = AlgorithmRecord(
    id=UUID(int=1),
    user_id=UUID(int=2),
    name="trend",
    description=None,
    algorithm_type="moving_average_crossover",
    code=None,
    parameters={"fast_bars": 5},
    status=AlgorithmStatus.DRAFT,
    version=2,
    created_at=NOW,
    updated_at=NOW,
)
GOOD = {"trades": 60.0, "sharpe": 1.0, "max_drawdown": -0.1}
EVIDENCE = Evidence("backtest 1", "moving_average_crossover", {"fast_bars": 5, "slow_bars": 72}, GOOD)
THRESHOLDS = Thresholds(Standard(20, -10.0, 0.5), StrictStandard())
CASE = Case(RECORD, (), (), [EVIDENCE], Tally.of([1.0], 365, 365), pieces=Figure(0.0, "the same in pieces"))
PROVEN = {
    "pieces": 0.0,
    "tested": 1.0,
    "trades": 60.0,
    "max_drawdown": 0.1,
    "profit": 0.2,
    "track_record": 40.0,
    "out_of_sample_sharpe": 1.0,
    "deflated_sharpe": 0.97,
    "pbo": 0.1,
    "parity": 0.0,
}


def proof(**changes: float | None) -> Proof:
    return Proof({name: Figure(value, f"{name} is {value}") for name, value in (PROVEN | changes).items()}, days=90.0)


def names(promotion) -> dict[str, bool]:
    return {gate.name: gate.passed for gate in promotion.gates}


def failed(promotion) -> set[str]:
    assert promotion.passed == all(names(promotion).values())
    return {name for name, passed in names(promotion).items() if not passed}


def test_a_tested_draft_becomes_validated():
    promotion = judge(CASE, THRESHOLDS)
    assert promotion.passed
    assert promotion.target is AlgorithmStatus.VALIDATED
    assert list(names(promotion)) == ["contract", "look_ahead", "pieces", "tested", "trades", "sharpe", "max_drawdown"]


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        ({"evidence": []}, {"tested", "trades", "sharpe", "max_drawdown"}),
        (
            {"evidence": [replace(EVIDENCE, parameters={"fast_bars": 6})]},
            {"tested", "trades", "sharpe", "max_drawdown"},
        ),
        (
            {"evidence": [replace(EVIDENCE, algorithm_type="mean_reversion")]},
            {"tested", "trades", "sharpe", "max_drawdown"},
        ),
        ({"evidence": [replace(EVIDENCE, metrics={**GOOD, "sharpe": None})]}, {"sharpe"}),
        ({"evidence": [replace(EVIDENCE, metrics={**GOOD, "trades": 19.0}), EVIDENCE]}, {"trades"}),
        ({"contract": ("predict: a weight is negative",)}, {"contract"}),
        ({"look_ahead": ("it looks ahead",)}, {"look_ahead"}),
        ({"pieces": Figure(3.0, "three decisions are others")}, {"pieces"}),
        ({"pieces": Figure(None, "it was not tried")}, {"pieces"}),
    ],
    ids=[
        "untested",
        "other parameters",
        "other algorithm",
        "no ratio",
        "the newest counts",
        "broken contract",
        "looks ahead",
        "others in pieces",
        "not asked in pieces",
    ],
)
def test_what_a_draft_misses_closes_its_gate(change, closed):
    assert failed(judge(replace(CASE, **change), THRESHOLDS)) == closed


VALIDATED = replace(CASE, record=replace(RECORD, status=AlgorithmStatus.VALIDATED), proof=proof())


def test_a_proven_algorithm_becomes_deployable():
    promotion = judge(VALIDATED, THRESHOLDS)
    assert promotion.passed
    assert promotion.target is AlgorithmStatus.DEPLOYABLE
    assert list(names(promotion)) == ["contract", "look_ahead", *PROVEN]
    assert promotion.tally == CASE.tally


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pieces", 1.0),
        ("tested", 0.0),
        ("trades", 49.0),
        ("max_drawdown", 0.26),
        ("profit", -0.001),
        ("track_record", 90.1),
        ("out_of_sample_sharpe", 0.49),
        ("deflated_sharpe", 0.949),
        ("pbo", 0.21),
        ("parity", 1.0),
    ],
)
def test_every_gate_can_refuse_by_itself(name, value):
    for figure in (value, None, float("nan"), float("inf")):
        refused = judge(replace(VALIDATED, proof=proof(**{name: figure})), THRESHOLDS)
        assert failed(refused) == {name}
        assert f"{name}: {name} is {figure}" in refused.refusal


def test_what_was_not_measured_does_not_pass():
    assert failed(judge(replace(VALIDATED, proof=Proof({}, 0.0)), THRESHOLDS)) == set(PROVEN)


@pytest.mark.parametrize("status", [AlgorithmStatus.DEPLOYABLE, AlgorithmStatus.DEPLOYED])
def test_there_is_nothing_above_deployable(status):
    with pytest.raises(Conflict):
        judge(replace(CASE, record=replace(RECORD, status=status)), THRESHOLDS)


def test_only_a_completed_backtest_is_evidence():
    spec = BacktestSpec("mean_reversion", {}, ("BTC",), NOW, NOW, Decimal(1), 0.02)
    run = BacktestRun(
        id=UUID(int=5),
        user_id=UUID(int=2),
        algorithm_id=UUID(int=1),
        algorithm_version=1,
        spec=spec,
        status=RunStatus.COMPLETED,
        progress=1.0,
        results={"metrics": GOOD},
        error_message=None,
        execution_time_s=1.0,
        created_at=NOW,
        completed_at=NOW,
    )
    assert Evidence.of_run(run) == Evidence(f"backtest {run.id}", "mean_reversion", {}, GOOD)
    assert Evidence.of_run(replace(run, status=RunStatus.FAILED)) is None


CODED = replace(RECORD, algorithm_type="custom", code="class It: ...", parameters={"bars": 5, "share": 0.5})
SHOWN = Evidence("backtest 1", "custom", {"bars": 5, "share": 0.5}, GOOD, "class It: ...")


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"code": "class It: pass"}, False),
        ({"code": None}, False),
        ({"parameters": {"bars": 6, "share": 0.5}}, False),
        ({"parameters": {"bars": 5}}, False),
    ],
    ids=["the same", "other code", "no code", "other parameters", "not all of them"],
)
def test_code_is_judged_by_what_tested_this_very_code(change, counts):
    shown = replace(SHOWN, **change)
    assert shown.is_of(CODED) == counts
    assert judge(replace(CASE, record=CODED, evidence=[shown]), THRESHOLDS).passed == counts


def test_evidence_of_code_is_none_of_what_ships_with_the_platform():
    assert EVIDENCE.is_of(RECORD)
    assert not replace(EVIDENCE, code="class It: ...").is_of(RECORD)
    assert not EVIDENCE.is_of(replace(RECORD, code="class It: ..."))
