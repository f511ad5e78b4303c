"""Promotion over HTTP: every gate is shown, before a step and when it is refused."""

from dataclasses import replace
from uuid import UUID

import pytest

from omc.promotion.gate import StrictStandard
from omc.promotion.trials import Tally
from serve_apps.window import window_of
from tests.omc.promotion.searching import carried_out

DRAFT_GATES = ["contract", "look_ahead", "pieces", "tested", "trades", "sharpe", "max_drawdown"]
GATES = [
    *("contract", "look_ahead", "pieces", "tested", "trades", "max_drawdown", "profit", "track_record"),
    *("out_of_sample_sharpe", "deflated_sharpe", "pbo", "parity"),
]


@pytest.fixture
def swept(caller, ports, window):
    """`await swept(algorithm, …)` is a sweep of six points on two folds that was carried out."""

    async def sweep(algorithm: dict, **change: object) -> dict:
        body = {**window, "space": {"fast_bars": [3, 6], "slow_bars": [12, 24, 48]}, "folds": 2, **change}
        asked = await caller.post(f"/algorithms/{algorithm['id']}/sweeps", body)
        assert asked.status_code == 202, asked.text
        started = await ports.sweeps.start(UUID(asked.json()["data"]["id"]))
        await carried_out(started, await window_of(ports.archive, started.spec), ports.sweeps, ports.terms)
        return (await caller.get(f"/sweeps/{started.id}")).json()["data"]

    return sweep


async def test_the_best_point_of_a_sweep_is_promoted_with_its_parameters(creating, swept, caller):
    made = await creating()
    sweep = await swept(made, objective="total_return")
    answer = await caller.post(f"/algorithms/{made['id']}/promote", {"sweep_id": sweep["id"]})
    assert answer.status_code == 200, answer.text
    promoted = answer.json()["data"]
    assert promoted["algorithm"]["status"] == "validated"
    assert promoted["algorithm"]["parameters"] == sweep["best"]["parameters"]
    assert [gate["gate"] for gate in promoted["gates"]] == DRAFT_GATES
    assert all(gate["passed"] and gate["why"] for gate in promoted["gates"])


async def test_a_backtest_of_the_same_parameters_promotes_too(creating, testing, caller):
    made = await creating()
    await testing(made)
    promoted = (await caller.post(f"/algorithms/{made['id']}/promote", {})).json()["data"]
    assert (promoted["algorithm"]["status"], promoted["algorithm"]["version"]) == ("validated", 1)
    assert promoted["tries"]["tries"] == 1


async def test_the_gates_of_the_next_step_are_shown_without_taking_it(creating, testing, swept, caller, refused):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    untested = (await caller.get(f"{path}/promotion")).json()["data"]
    assert (untested["target"], untested["passed"]) == ("validated", False)
    assert untested["tries"] == {"tries": 0, "measured": 0, "mean_sharpe": None, "variance_sharpe": None}
    sweep = await swept(made)
    shown = (await caller.get(f"{path}/promotion", sweep_id=sweep["id"])).json()["data"]
    assert shown["parameters"] == sweep["best"]["parameters"]
    assert (await caller.get(path)).json()["data"] == made
    await testing(made)
    assert (await caller.get(f"{path}/promotion")).json()["data"]["passed"]
    assert (await caller.post(f"{path}/promote")).status_code == 200
    strict = (await caller.get(f"{path}/promotion")).json()["data"]
    assert (strict["target"], strict["passed"]) == ("deployable", False)
    assert [gate["gate"] for gate in strict["gates"]] == GATES
    refused(await caller.get(f"{path}/promotion", sweep_id="x"), 422, "VALIDATION_ERROR")
    refused(await caller.get(f"{path}/promotion", sweep="x"), 422, "VALIDATION_ERROR")


async def test_a_gate_that_is_not_passed_lists_every_gate_and_changes_nothing(creating, swept, caller, ports, refused):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    untested = refused(await caller.post(f"{path}/promote"), 409, "GATE_NOT_PASSED")
    assert [gate["figure"] for gate in untested["details"]["gates"]] == [0.0, 0.0, 0.0, 0.0, None, None, None]
    assert untested["details"]["tries"]["tries"] == 0
    sweep = await swept(made)
    strict = replace(ports.thresholds.validated, min_trades=10_000)
    object.__setattr__(ports, "thresholds", replace(ports.thresholds, validated=strict))
    error = refused(await caller.post(f"{path}/promote", {"sweep_id": sweep["id"]}), 409, "GATE_NOT_PASSED")
    gates = {gate["gate"]: gate for gate in error["details"]["gates"]}
    assert gates["trades"]["passed"] is False
    assert gates["trades"]["threshold"] == 10_000
    assert gates["sharpe"]["passed"] is True
    assert "trades" in error["message"]
    assert (await caller.get(path)).json()["data"] == made


async def test_a_sweep_without_a_figure_promotes_nothing(creating, caller, window, refused):
    made = await creating()
    body = {**window, "space": {"fast_bars": [3]}}
    sweep = (await caller.post(f"/algorithms/{made['id']}/sweeps", body)).json()["data"]
    answer = await caller.post(f"/algorithms/{made['id']}/promote", {"sweep_id": sweep["id"]})
    assert "no point" in refused(answer, 409, "GATE_NOT_PASSED")["message"]


async def test_a_sweep_of_another_algorithm_promotes_nothing(creating, swept, caller, refused):
    sweep = await swept(await creating())
    another = await creating()
    answer = await caller.post(f"/algorithms/{another['id']}/promote", {"sweep_id": sweep["id"]})
    refused(answer, 404, "NOT_FOUND")


async def test_what_is_proven_becomes_deployable(creating, swept, caller, ports):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    sweep = await swept(made)
    easy = StrictStandard(
        min_trades=1,
        max_drawdown=1.0,
        min_profit=-1.0,
        min_out_of_sample_sharpe=-1e9,
        min_deflated_sharpe=0.0,
        max_pbo=1.0,
        track_record_confidence=0.5000001,
    )
    object.__setattr__(ports, "thresholds", replace(ports.thresholds, deployable=easy))
    assert (await caller.post(f"{path}/promote", {"sweep_id": sweep["id"]})).status_code == 200
    shown = (await caller.get(f"{path}/promotion")).json()["data"]
    assert shown["tries"]["tries"] == 6
    figures = {gate["gate"]: gate["figure"] for gate in shown["gates"]}
    assert figures["parity"] == 0.0
    assert all(figures[name] is not None for name in ("out_of_sample_sharpe", "deflated_sharpe", "pbo", "profit"))
    assert shown["passed"], shown
    promoted = (await caller.post(f"{path}/promote")).json()["data"]
    assert promoted["algorithm"]["status"] == "deployable"
    assert [gate["gate"] for gate in promoted["gates"]] == GATES


async def test_real_money_needs_a_sweep_and_its_newest_one(creating, testing, swept, caller, refused):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    await testing(made)
    assert (await caller.post(f"{path}/promote")).status_code == 200
    error = refused(await caller.post(f"{path}/promote"), 409, "GATE_NOT_PASSED")
    assert "no sweep of it has completed: run a sweep with folds" in error["message"]
    await swept(made, space={"fast_bars": [3, 5], "slow_bars": [12]})
    error = refused(await caller.post(f"{path}/promote"), 409, "GATE_NOT_PASSED")
    assert "did not try these parameters" in error["message"]


async def test_there_is_no_step_above_deployable(creating, caller, ports, refused):
    made = await creating()
    for status in ("deployable", "deployed"):
        record = await ports.algorithms.get(UUID(made["id"]), caller.user_id)
        await ports.algorithms.set_status(record.id, record.user_id, type(record.status)(status))
        for answer in (
            await caller.post(f"/algorithms/{made['id']}/promote"),
            await caller.get(f"/algorithms/{made['id']}/promotion"),
        ):
            refused(answer, 409, "CONFLICT")


async def test_a_deleted_backtest_stays_a_try(creating, testing, caller, ports):
    made = await creating()
    runs = [await testing(made) for _ in range(3)]
    for run in runs:
        assert (await caller.delete(f"/backtests/{run['id']}")).status_code == 200
    await caller.put(f"/algorithms/{made['id']}", {"parameters": {"fast_bars": 5, "slow_bars": 15}})
    tally = await ports.tries.tally(UUID(made["id"]))
    ratios, bars = ([run["metrics"][name] for run in runs] for name in ("sharpe", "bars"))
    expected = Tally.of(ratios, [each - 1 for each in bars], 365 * 24 * 12)
    assert (tally.tries, tally.measured) == (3, 3)
    assert (tally.mean_sharpe, *tally.powers) == pytest.approx((expected.mean_sharpe, *expected.powers))
    shown = (await caller.get(f"/algorithms/{made['id']}/promotion")).json()["data"]["tries"]
    assert (shown["tries"], shown["measured"]) == (3, 3)


async def test_the_built_in_algorithms_keep_their_contract(creating, caller):
    for kind in ("moving_average_crossover", "mean_reversion"):
        made = await creating(algorithm_type=kind, parameters={})
        answer = await caller.post(f"/algorithms/{made['id']}/validate")
        assert answer.json()["data"] == {"valid": True, "findings": []}


async def test_parameters_that_no_longer_make_sense_are_a_finding(creating, caller, ports):
    made = await creating()
    record = ports.algorithms.kept[UUID(made["id"])]
    ports.algorithms.kept[record.id] = replace(record, parameters={"fast_bars": 50, "slow_bars": 2})
    found = (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]
    assert found["valid"] is False
    (finding,) = found["findings"]
    assert (finding["rule"], finding["line"], finding["column"]) == ("parameters", None, None)


async def test_an_algorithm_that_looks_ahead_is_found_out(creating, caller, monkeypatch):
    made = await creating()
    monkeypatch.setattr("serve_apps.lab.trial.lookahead.of_algorithm", lambda *_, **__: ["it looks ahead"])
    found = (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]
    assert found == {
        "valid": False,
        "findings": [{"rule": "look_ahead", "line": None, "column": None, "message": "it looks ahead"}],
    }
