"""An algorithm is promoted a step at a time, on a tested past of its own, and every gate is shown."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from omc.backtest.run import BacktestRun, BacktestSpec, RunStatus
from omc.errors import Conflict
from omc.promotion.gate import Standard, Thresholds
from omc.promotion.promotion import Evidence, judge
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
THRESHOLDS = Thresholds(Standard(20, -10.0, 0.5), Standard(50, 0.5, 0.25))


def names(promotion) -> dict[str, bool]:
    return {gate.name: gate.passed for gate in promotion.gates}


def test_a_tested_draft_becomes_validated():
    promotion = judge(RECORD, [EVIDENCE], [], THRESHOLDS)
    assert promotion.passed
    assert promotion.target is AlgorithmStatus.VALIDATED


def test_a_validated_algorithm_becomes_deployable_by_the_stricter_standard():
    validated = replace(RECORD, status=AlgorithmStatus.VALIDATED)
    assert judge(validated, [EVIDENCE], [], THRESHOLDS).passed
    weak = replace(EVIDENCE, metrics={**GOOD, "sharpe": 0.4, "max_drawdown": -0.3})
    refused = judge(validated, [weak], [], THRESHOLDS)
    assert names(refused) == {"contract": True, "tested": True, "trades": True, "sharpe": False, "max_drawdown": False}
    assert "sharpe: 0.40, 0.5 needed" in refused.refusal
    assert "the deepest fall was 30.0%, at most 25.0% is allowed" in refused.refusal


@pytest.mark.parametrize(
    ("evidence", "findings", "failed"),
    [
        ([], [], {"tested", "trades", "sharpe", "max_drawdown"}),
        ([replace(EVIDENCE, parameters={"fast_bars": 6})], [], {"tested", "trades", "sharpe", "max_drawdown"}),
        ([replace(EVIDENCE, algorithm_type="mean_reversion")], [], {"tested", "trades", "sharpe", "max_drawdown"}),
        ([replace(EVIDENCE, metrics={**GOOD, "sharpe": None})], [], {"sharpe"}),
        ([replace(EVIDENCE, metrics={**GOOD, "trades": 19.0}), EVIDENCE], [], {"trades"}),
        ([EVIDENCE], ["it looks ahead"], {"contract"}),
    ],
    ids=["untested", "other parameters", "other algorithm", "no ratio", "the newest counts", "broken contract"],
)
def test_what_is_missing_fails_its_gate(evidence, findings, failed):
    promotion = judge(RECORD, evidence, findings, THRESHOLDS)
    assert not promotion.passed
    assert {name for name, passed in names(promotion).items() if not passed} == failed


@pytest.mark.parametrize("status", [AlgorithmStatus.DEPLOYABLE, AlgorithmStatus.DEPLOYED])
def test_there_is_nothing_above_deployable(status):
    with pytest.raises(Conflict):
        judge(replace(RECORD, status=status), [EVIDENCE], [], THRESHOLDS)


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
