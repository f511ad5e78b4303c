"""From people's code to a validated and a deployable algorithm, and what keeps it from getting there."""

from dataclasses import replace
from uuid import UUID

import pytest

from omc.promotion.gate import StrictStandard
from omc.promotion.trials import MemoryTries, Tally
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus, MemoryAlgorithmStore
from serve_apps.window import window_of
from tests.omc.promotion.searching import carried_out
from tests.serve_apps.lab.coding import BUILTIN, GATHERING, LONG_SIGHTED, PLAIN, SYNTAX, TWIN

EASY = StrictStandard(
    min_trades=1,
    max_drawdown=1.0,
    min_profit=-1.0,
    min_out_of_sample_sharpe=-1e9,
    min_deflated_sharpe=0.0,
    max_pbo=1.0,
    track_record_confidence=0.5000001,
)


@pytest.fixture
def ports(ports):
    return replace(ports, maker=TWIN, thresholds=replace(ports.thresholds, deployable=EASY))


@pytest.fixture
def coding(creating):
    async def keep(code: str = BUILTIN, **parameters: object) -> dict:
        return await creating(algorithm_type="custom", code=code, parameters=parameters)

    return keep


@pytest.fixture
def swept(caller, ports, window):
    """`await swept(algorithm, space)` is a sweep on two folds that was carried out."""

    async def sweep(algorithm: dict, space: dict | None = None) -> dict:
        body = {**window, "space": space or {"window_bars": [12, 24, 48]}, "folds": 2, "objective": "total_return"}
        asked = await caller.post(f"/algorithms/{algorithm['id']}/sweeps", body)
        assert asked.status_code == 202, asked.text
        started = await ports.sweeps.start(UUID(asked.json()["data"]["id"]))
        version = await ports.algorithms.version(started.algorithm_id, started.user_id, started.algorithm_version)
        make = ports.maker.of(version.code)
        frame = await window_of(ports.archive, started.spec, make)
        await carried_out(started, frame, ports.sweeps, ports.terms, make)
        return (await caller.get(f"/sweeps/{started.id}")).json()["data"]

    return sweep


def figures(shown: dict) -> dict[str, float | None]:
    return {gate["gate"]: gate["figure"] for gate in shown["gates"]}


async def test_code_goes_all_the_way(coding, testing, swept, caller):
    made = await coding()
    path = f"/algorithms/{made['id']}"
    assert (await caller.post(f"{path}/validate")).json()["data"] == {"valid": True, "findings": []}
    run = await testing(made)
    assert (run["status"], run["parameters"]) == ("completed", made["parameters"])
    assert run["trades"] > 5
    promoted = (await caller.post(f"{path}/promote")).json()["data"]
    assert promoted["algorithm"]["status"] == "validated"
    assert figures(promoted)["pieces"] == 0.0
    sweep = await swept(made)
    assert sweep["failed"] == 0
    shown = (await caller.get(f"{path}/promotion")).json()["data"]
    assert shown["target"] == "deployable"
    assert (figures(shown)["pieces"], figures(shown)["parity"], figures(shown)["tested"]) == (0.0, 0.0, 1.0)
    gate = next(gate for gate in shown["gates"] if gate["gate"] == "pieces")
    assert (gate["threshold"], gate["passed"]) == (0.0, True)
    assert "decisions are the same in" in gate["why"]
    assert (await caller.post(f"{path}/promote")).json()["data"]["algorithm"]["status"] == "deployable"


async def test_the_best_point_of_a_sweep_over_code_is_promoted(coding, swept, caller):
    made = await coding()
    sweep = await swept(made)
    promoted = (await caller.post(f"/algorithms/{made['id']}/promote", {"sweep_id": sweep["id"]})).json()["data"]
    assert promoted["algorithm"]["status"] == "validated"
    assert promoted["algorithm"]["parameters"] == {**made["parameters"], **sweep["best"]["parameters"]}
    assert promoted["algorithm"]["code"] == BUILTIN


@pytest.mark.parametrize("code", [LONG_SIGHTED, GATHERING], ids=["peeks", "gathers"])
async def test_code_that_deceives_where_there_are_many_prices_does_not_become_deployable(
    coding, testing, swept, caller, ports, refused, code
):
    """Nothing shows on the few prices that a draft is tried on; on the window of its sweep it does."""
    sized = code.replace(
        "    memory_bars = 2\n", "    memory_bars = 2\n    def __init__(self, size=1): self.size = size\n"
    )
    made = await coding(sized.replace("return weights /", "return self.size * weights / 2 /"))
    path = f"/algorithms/{made['id']}"
    assert (await caller.post(f"{path}/validate")).json()["data"]["valid"]
    await testing(made)
    assert (await caller.post(f"{path}/promote")).status_code == 200
    await swept(made, {"size": [1, 2]})
    error = refused(await caller.post(f"{path}/promote"), 409, "GATE_NOT_PASSED")
    gate = next(gate for gate in error["details"]["gates"] if gate["gate"] == "pieces")
    assert gate["figure"] > 0
    assert "another when later prices are not there yet" in gate["why"]
    assert "pieces: the decision of 2025-06-0" in error["message"]
    assert (await caller.get(path)).json()["data"]["status"] == "validated"


async def test_a_backtest_of_other_code_is_no_evidence(coding, testing, caller, refused):
    made = await coding(PLAIN)
    path = f"/algorithms/{made['id']}"
    await testing(made)
    other = PLAIN.replace("> frame.last", "< frame.last")
    changed = (await caller.put(path, {"code": other})).json()["data"]
    assert changed["parameters"] == made["parameters"]
    error = refused(await caller.post(f"{path}/promote"), 409, "GATE_NOT_PASSED")
    assert "no completed backtest or sweep tried these parameters" in error["message"]
    await caller.post(f"{path}/versions/1/restore")
    assert (await caller.post(f"{path}/promote")).json()["data"]["algorithm"]["status"] == "validated"


async def test_a_sweep_over_other_code_promotes_nothing(coding, swept, caller, refused):
    made = await coding()
    path = f"/algorithms/{made['id']}"
    sweep = await swept(made)
    await caller.put(path, {"code": BUILTIN + "\n# better\n"})
    for answer in (
        await caller.post(f"{path}/promote", {"sweep_id": sweep["id"]}),
        await caller.get(f"{path}/promotion", sweep_id=sweep["id"]),
    ):
        error = refused(answer, 409, "CONFLICT")
        assert "searched the code of version 1, and version 2 has other code" in error["message"]
    await caller.post(f"{path}/versions/1/restore")
    assert (await caller.post(f"{path}/promote", {"sweep_id": sweep["id"]})).status_code == 200


async def test_a_sweep_over_other_code_proves_nothing_and_its_tries_count(coding, testing, swept, caller, refused):
    made = await coding()
    path = f"/algorithms/{made['id']}"
    await swept(made)
    changed = (await caller.put(path, {"code": BUILTIN + "\n# better\n"})).json()["data"]
    await testing(changed)
    assert (await caller.post(f"{path}/promote")).status_code == 200
    error = refused(await caller.post(f"{path}/promote"), 409, "GATE_NOT_PASSED")
    assert "no sweep of the code that it has now has completed" in error["message"]
    assert "run a sweep with folds" in error["message"]
    assert error["details"]["tries"]["tries"] == 4
    await swept(changed)
    assert (await caller.post(f"{path}/promote")).json()["data"]["tries"]["tries"] == 7


async def test_a_run_is_judged_by_the_version_that_it_ran(coding, caller, worker, window):
    """The code is edited while a backtest waits: what runs is what was asked for."""
    made = await coding(PLAIN)
    path = f"/algorithms/{made['id']}"
    asked = (await caller.post(f"{path}/backtest", window)).json()["data"]
    await caller.put(path, {"code": SYNTAX})
    assert await worker.take_one()
    assert (await caller.get(f"/backtests/{asked['id']}")).json()["data"]["status"] == "completed"
    await caller.post(f"{path}/versions/1/restore")
    assert (await caller.post(f"{path}/promote")).json()["data"]["algorithm"]["status"] == "validated"


async def test_parameters_that_were_kept_while_nobody_could_load_the_code_are_made_whole(
    coding, testing, caller, ports
):
    made = await coding()
    record = ports.algorithms.kept[UUID(made["id"])]
    ports.algorithms.kept[record.id] = replace(record, parameters={})
    await testing(made)
    promoted = (await caller.post(f"/algorithms/{made['id']}/promote")).json()["data"]["algorithm"]
    assert (promoted["status"], promoted["parameters"]) == ("validated", made["parameters"])


async def test_code_that_fails_on_real_prices_is_not_promoted(coding, testing, caller, ports, refused):
    fails = PLAIN.replace(
        "        weights =",
        "        if 'BTC' in frame.coins:\n            raise ValueError('no')\n        weights =",
        1,
    )
    made = await coding(fails)
    run = await testing(made)
    assert (run["status"], "ValueError: no (line" in run["error_message"]) == ("failed", True)
    error = refused(await caller.post(f"/algorithms/{made['id']}/promote"), 409, "GATE_NOT_PASSED")
    gates = {gate["gate"]: gate for gate in error["details"]["gates"]}
    assert not gates["contract"]["passed"]
    assert "ValueError: no" in gates["contract"]["why"]
    assert gates["pieces"]["figure"] is None


async def test_broken_code_of_a_validated_algorithm_is_a_draft_that_cannot_be_promoted(
    coding, testing, caller, refused
):
    made = await coding(PLAIN)
    path = f"/algorithms/{made['id']}"
    await testing(made)
    await caller.post(f"{path}/promote")
    broken = (await caller.put(path, {"code": SYNTAX})).json()["data"]
    assert broken["status"] == AlgorithmStatus.DRAFT
    error = refused(await caller.post(f"{path}/promote"), 422, "VALIDATION_ERROR")
    assert error["message"].startswith("line 2, column 29: ")


async def test_an_edit_while_an_algorithm_is_judged_is_not_undone_and_has_no_status(
    coding, testing, caller, refused, monkeypatch
):
    made = await coding(PLAIN)
    path, other = f"/algorithms/{made['id']}", PLAIN.replace("> frame.last", "< frame.last")
    await testing(made)
    tally = MemoryTries.tally

    async def edited_first(tries: MemoryTries, algorithm_id: UUID) -> Tally:
        assert (await caller.put(path, {"code": other})).status_code == 200
        return await tally(tries, algorithm_id)

    monkeypatch.setattr(MemoryTries, "tally", edited_first)
    error = refused(await caller.post(f"{path}/promote"), 409, "CONFLICT")
    assert "edited meanwhile" in error["message"]
    left = (await caller.get(path)).json()["data"]
    assert (left["code"], left["version"], left["status"]) == (other, 2, "draft")


async def test_of_two_edits_at_once_the_later_learns_of_the_earlier(coding, caller, refused, monkeypatch):
    made = await coding(PLAIN)
    path, update = f"/algorithms/{made['id']}", MemoryAlgorithmStore.update
    held = []

    async def renamed_first(store: MemoryAlgorithmStore, record: AlgorithmRecord, seen: AlgorithmRecord | None = None):
        held.append(record)
        if len(held) == 1:
            assert (await caller.put(path, {"name": "renamed"})).status_code == 200
        return await update(store, record, seen)

    monkeypatch.setattr(MemoryAlgorithmStore, "update", renamed_first)
    refused(await caller.put(path, {"description": "mine"}), 409, "CONFLICT")
    left = (await caller.get(path)).json()["data"]
    assert (left["name"], left["description"]) == ("renamed", made["description"])
