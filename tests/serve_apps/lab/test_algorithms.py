"""Algorithms, and their versions."""

import re
from uuid import UUID, uuid4

import pytest

from omc.strategy.algorithm import AlgorithmStatus


async def test_a_new_algorithm_is_a_draft_with_all_its_parameters(creating, caller):
    made = await creating(description="follows")
    assert (made["status"], made["version"]) == ("draft", 1)
    assert made["parameters"] == {"fast_bars": 4, "slow_bars": 12, "entry_threshold": 0.0, "exposure": 1.0}
    assert (await caller.get(f"/algorithms/{made['id']}")).json()["data"] == made
    assert (await caller.get("/algorithms")).json()["items"] == [made]
    assert (await caller.get("/algorithms", status="draft")).json()["total"] == 1
    assert (await caller.get("/algorithms", status="validated")).json()["total"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": None},
        {"name": "a\0b"},
        {"algorithm_type": "astrology"},
        {"algorithm_type": "custom"},
        {"algorithm_type": "../etc"},
        {"code": "def weights(): ..."},
        {"parameters": {"fast_bars": 100, "slow_bars": 12}},
        {"parameters": {"fast_bars": 2.5}},
        {"parameters": {"fast_bars": 10**30}},
        {"parameters": {"exposure": 1.01}},
        {"parameters": {"exposure": -0.01}},
        {"parameters": {"fast_bars": None}},
        {"parameters": {"fast bars": 4}},
        {"parameters": []},
        {"owner": "somebody"},
        {"description": "x" * 10_001},
    ],
    ids=str,
)
async def test_an_algorithm_that_makes_no_sense_is_refused(caller, ports, refused, change):
    body = {"name": "Trend", "algorithm_type": "moving_average_crossover", **change}
    refused(await caller.post("/algorithms", body), 422, "VALIDATION_ERROR")
    assert ports.algorithms.kept == {}


async def test_code_of_ones_own_is_refused_with_the_reason(caller, refused):
    body = {"name": "Mine", "algorithm_type": "moving_average_crossover", "code": "import os"}
    assert "sandbox" in refused(await caller.post("/algorithms", body), 422, "VALIDATION_ERROR")["message"]


async def test_new_parameters_make_a_new_version_and_a_new_name_does_not(creating, caller):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    renamed = (await caller.put(path, {"name": "Trend 2", "description": "d"})).json()["data"]
    assert (renamed["name"], renamed["version"]) == ("Trend 2", 1)
    changed = (await caller.put(path, {"parameters": {"fast_bars": 5, "slow_bars": 15}})).json()["data"]
    assert (changed["version"], changed["parameters"]["fast_bars"], changed["name"]) == (2, 5, "Trend 2")
    assert changed["description"] == "d"


async def test_a_new_version_is_a_draft_again(creating, caller, ports):
    made = await creating()
    await ports.algorithms.set_status(UUID(made["id"]), caller.user_id, AlgorithmStatus.VALIDATED)
    answer = await caller.put(f"/algorithms/{made['id']}", {"parameters": {"fast_bars": 5, "slow_bars": 15}})
    assert answer.json()["data"]["status"] == "draft"


async def test_versions_are_kept_and_one_can_be_restored_as_a_new_one(creating, caller, refused):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    await caller.put(path, {"parameters": {"fast_bars": 5, "slow_bars": 15}})
    versions = (await caller.get(f"{path}/versions")).json()["items"]
    assert [each["version"] for each in versions] == [1, 2]
    assert (await caller.get(f"{path}/versions/1")).json()["data"] == versions[0]
    restored = (await caller.post(f"{path}/versions/1/restore")).json()["data"]
    assert (restored["version"], restored["parameters"]) == (3, made["parameters"])
    third = (await caller.get(f"{path}/versions/3")).json()["data"]
    assert third["content_hash"] == versions[0]["content_hash"]
    refused(await caller.get(f"{path}/versions/9"), 404, "NOT_FOUND")
    for wrong in ("0", "-1", "x", "1.5", "9" * 30):
        refused(await caller.get(f"{path}/versions/{wrong}"), 422, "VALIDATION_ERROR")


async def test_a_refused_change_changes_nothing(creating, caller, refused):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    change = {"name": "Better", "parameters": {"fast_bars": 50, "slow_bars": 2}}
    refused(await caller.put(path, change), 422, "VALIDATION_ERROR")
    refused(await caller.put(path, {"code": "x = 1"}), 422, "VALIDATION_ERROR")
    assert (await caller.get(path)).json()["data"] == made


async def test_a_deleted_algorithm_is_gone_unless_it_is_deployed(creating, caller, ports, refused):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    ports.algorithms.deployed = lambda _: True
    refused(await caller.delete(path), 409, "CONFLICT")
    ports.algorithms.deployed = lambda _: False
    assert (await caller.delete(path)).status_code == 200
    refused(await caller.get(path), 404, "NOT_FOUND")
    refused(await caller.delete(path), 404, "NOT_FOUND")


def asked(app) -> list[tuple[str, str]]:
    return [(method, path) for path, verbs in app.openapi()["paths"].items() for method in verbs]


def filled(path: str, known: dict[str, str]) -> str:
    """With an id of nothing for what is not known."""
    return re.sub(r"{(\w+)}", lambda found: known.get(found[1], str(uuid4())), path)


_WINDOW = {"start_date": "2025-06-09", "end_date": "2025-06-10", "coins": ["BTC"]}
_FUNDED = {**_WINDOW, "initial_cash": "10000"}
_BODIES = {"backtest": _FUNDED, "sweeps": {**_FUNDED, "space": {"fast_bars": [2, 3]}}, "models": _WINDOW}
"""What must be sent along, by the end of the path."""


async def test_somebody_elses_things_are_not_there(app, creating, testing, caller, other, refused):
    made = await creating()
    run = await testing(made)
    sweep = (await caller.post(f"/algorithms/{made['id']}/sweeps", _BODIES["sweeps"])).json()["data"]
    ids = {"algorithm_id": made["id"], "backtest_id": run["id"], "sweep_id": sweep["id"], "number": "1"}
    bodies = {"put": {}, "post": {}}
    count = 0
    for method, path in asked(app):
        if "{" not in path:
            continue
        count += 1
        body = bodies.get(method)
        if method == "post":
            body = _BODIES.get(path.rsplit("/", 1)[1], body)
        for known in (ids, {name: str(uuid4()) for name in ids} | {"number": "1"}):
            arguments = {} if body is None else {"json": body}
            refused(await other.ask(method.upper(), filled(path, known), **arguments), 404, "NOT_FOUND")
    assert count >= 24
    for path in ("/algorithms", "/sweeps"):
        assert (await other.get(path)).json()["items"] == []
    mine = await other.post("/algorithms", {"name": "Mine", "algorithm_type": "mean_reversion"})
    promotion = {"sweep_id": sweep["id"]}
    refused(await other.post(f"/algorithms/{mine.json()['data']['id']}/promote", promotion), 404, "NOT_FOUND")


async def test_every_path_needs_a_token(app, calling, refused):
    nobody = calling(app, "/api/v1/lab", signed_in=False)
    for method, path in asked(app):
        path = filled(path, {"number": "1"})
        refused(await nobody.ask(method.upper(), path), 401, "UNAUTHENTICATED")
