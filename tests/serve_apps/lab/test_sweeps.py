"""Sweeps: asked for, carried out elsewhere, read back."""

import csv
import io
import threading
from uuid import UUID

import pytest

from omc.adapters import parquet
from omc.backtest.ground import Ground
from omc.backtest.run import RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.tried import SweepPoint, Tried
from omc.strategy.registry import make
from serve_apps.lab import sweeps
from serve_apps.window import window_of

GRID = {"fast_bars": [3, 6], "slow_bars": [12, 24, 48]}


@pytest.fixture
def sweeping(caller, window):
    async def ask(algorithm: dict, **change: object) -> dict:
        body = {**window, "space": GRID, **change}
        answer = await caller.post(f"/algorithms/{algorithm['id']}/sweeps", body)
        assert answer.status_code == 202, answer.text
        return answer.json()["data"]

    return ask


@pytest.fixture
def running(ports):
    """`await running(sweep)` tries every point of it, as a runner would."""

    async def run(asked: dict) -> None:
        sweep = await ports.sweeps.start(UUID(asked["id"]))
        space = SearchSpace.of(sweep)
        ground = Ground.of(sweep.spec, await window_of(ports.archive, sweep.spec), ports.terms)
        points = [
            SweepPoint(at, parameters, ground.measure(ground.simulate(make(space.algorithm_type, parameters))))
            for at in range(space.points)
            for parameters in [space.point(at)]
        ]
        await ports.sweeps.add(sweep.id, Tried.of(points))
        await ports.sweeps.finish(sweep.id, type(sweep.status)("completed"))

    return run


async def test_a_sweep_is_stored_first_and_then_handed_over(creating, sweeping, ports, caller):
    sweep = await sweeping(await creating())
    assert (sweep["status"], sweep["points"], sweep["done"], sweep["progress"]) == ("queued", 6, 0, 0.0)
    assert sweep["space"] == GRID
    assert ports.runner.submitted == [UUID(sweep["id"])]
    assert (await caller.get("/sweeps")).json()["items"] == [sweep]


async def test_a_random_sweep_draws_as_many_points_as_it_is_told(creating, sweeping):
    space = {"fast_bars": {"low": 2, "high": 10, "integer": True}, "exposure": {"low": 0.2, "high": 1.0, "log": True}}
    sweep = await sweeping(await creating(), space=space, method="random", points=40, seed=3)
    assert (sweep["points"], sweep["seed"], sweep["space"]["exposure"]["log"]) == (40, 3, True)


@pytest.mark.parametrize(
    "change",
    [
        {"space": {}},
        {"space": {"fast_bars": []}},
        {"space": {"speed": [1]}},
        {"space": {"fast_bars": [0]}},
        {"space": {"fast_bars": [2.5]}},
        {"space": {"fast_bars": {"low": 1, "high": 5}}},
        {"space": {"exposure": {"low": 0.9, "high": 0.1}}, "method": "random", "points": 5},
        {"space": {"exposure": {"low": 0, "high": 1, "log": True}}, "method": "random", "points": 5},
        {"space": {"exposure": {"low": 0, "high": 1, "steps": 3}}, "method": "random", "points": 5},
        {"space": {"fast_bars": [3]}, "method": "random"},
        {"method": "optuna"},
        {"method": "optuna", "points": 50_000},
        {"method": "clever"},
        {"folds": 1},
        {"folds": -1},
        {"folds": 3, "scheme": "random"},
        {"folds": 3, "purge_bars": -1},
        {"folds": 3, "purge_bars": 99_999},
        {"folds": 50, "start_date": "2025-06-10T00:00:00Z", "end_date": "2025-06-10T01:00:00Z"},
        {"prune": True},
        {"folds": 3, "prune": "yes"},
        {"points": 5},
        {"points": 10**9, "method": "random"},
        {"space": {"fast_bars": list(range(1, 500)), "slow_bars": list(range(500, 1_000))}},
        {"objective": "fame"},
        {"seed": -1},
        {"seed": 2**40},
        {"coins": ["NOPE"]},
        {"space": {"fast_bars": [50], "slow_bars": [10]}},
    ],
    ids=lambda change: str(change)[:60],
)
async def test_a_sweep_that_makes_no_sense_is_refused(creating, caller, ports, window, refused, change):
    made = await creating()
    answer = await caller.post(f"/algorithms/{made['id']}/sweeps", {**window, "space": GRID, **change})
    refused(answer, 422, "VALIDATION_ERROR")
    assert ports.sweeps.kept == {}
    assert ports.runner.submitted == []


async def test_a_wrong_search_space_names_the_parameter_and_no_types(creating, caller, window, refused):
    made = await creating()
    for values in ("x", [], [None], {"low": 1}):
        body = {**window, "space": {"fast_bars": values}}
        error = refused(await caller.post(f"/algorithms/{made['id']}/sweeps", body), 422, "VALIDATION_ERROR")
        assert error["message"].startswith("body.space.fast_bars.")
        assert "union" not in error["message"]
        assert len(error["details"]["errors"]) == 1


async def test_a_sweep_that_nobody_takes_has_failed_and_says_so(creating, caller, ports, window, refused):
    made = await creating()
    ports.runner.reachable = False
    answer = await caller.post(f"/algorithms/{made['id']}/sweeps", {**window, "space": GRID})
    refused(answer, 503, "UNAVAILABLE")
    (sweep,) = (await caller.get("/sweeps")).json()["items"]
    assert sweep["status"] == "failed"
    assert "takes no jobs" in sweep["error_message"]


async def test_a_cancelled_sweep_is_over_before_its_runner_knows(creating, sweeping, running, caller, ports, refused):
    sweep = await sweeping(await creating())
    for _ in range(2):
        cancelled = (await caller.post(f"/sweeps/{sweep['id']}/cancel")).json()["data"]
        assert cancelled["status"] == "cancelled"
    assert ports.runner.cancelled == [UUID(sweep["id"])] * 2
    done = await sweeping(await creating())
    await running(done)
    refused(await caller.post(f"/sweeps/{done['id']}/cancel"), 409, "CONFLICT")


async def test_results_are_ranked_paged_and_sorted_as_asked(creating, sweeping, running, caller, refused):
    sweep = await sweeping(await creating())
    path = f"/sweeps/{sweep['id']}/results"
    assert (await caller.get(path)).json()["items"] == []
    await running(sweep)
    page = (await caller.get(path, per_page=4)).json()
    assert (page["total"], page["pages"]) == (6, 2)
    sharpes = [each["metrics"]["sharpe"] for each in page["items"]]
    assert sharpes == sorted(sharpes, reverse=True)
    best = (await caller.get(f"/sweeps/{sweep['id']}")).json()["data"]["best"]
    assert best["parameters"] == page["items"][0]["parameters"]
    by_index = (await caller.get(path, sort="index")).json()["items"]
    assert [each["index"] for each in by_index] == [0, 1, 2, 3, 4, 5]
    by_trades = (await caller.get(path, sort="trades", order="asc")).json()["items"]
    trades = [each["metrics"]["trades"] for each in by_trades]
    assert trades == sorted(trades)
    for wrong in ({"sort": "fame"}, {"order": "up"}, {"format": "xml"}, {"sort": "sharpe; drop table sweeps"}):
        refused(await caller.get(path, **wrong), 422, "VALIDATION_ERROR")


async def test_results_come_as_csv_all_at_once(creating, sweeping, running, caller):
    sweep = await sweeping(await creating())
    await running(sweep)
    answer = await caller.get(f"/sweeps/{sweep['id']}/results", format="csv", per_page=1)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 6
    assert {row["fast_bars"] for row in rows} == {"3", "6"}
    assert float(rows[0]["sharpe"]) >= float(rows[1]["sharpe"])


async def test_a_walk_forward_says_what_it_is(creating, sweeping):
    asked = {"folds": 4, "scheme": "rolling", "purge_bars": 2, "embargo_bars": 1, "prune": True}
    sweep = await sweeping(await creating(), **asked)
    assert {name: sweep[name] for name in asked} == asked
    assert (sweep["failed"], sweep["pruned"]) == (0, 0)


async def test_a_sweep_that_failed_is_resumed_with_its_points(creating, sweeping, running, caller, ports, refused):
    sweep = await sweeping(await creating())
    path, sweep_id = f"/sweeps/{sweep['id']}/resume", UUID(sweep["id"])
    point = SweepPoint(3, {"fast_bars": 6, "slow_bars": 12}, {"sharpe": 1.0})
    await ports.sweeps.add(sweep_id, Tried.of([point]))
    await ports.sweeps.finish(sweep_id, RunStatus.FAILED, "its driver died")
    answer = await caller.post(path)
    assert answer.status_code == 202
    resumed = answer.json()["data"]
    assert (resumed["status"], resumed["done"], resumed["error_message"]) == ("queued", 1, None)
    assert ports.runner.submitted == [sweep_id] * 2
    assert (await caller.post(path)).json()["data"]["status"] == "queued"
    await running(sweep)
    refused(await caller.post(path), 409, "CONFLICT")


async def test_a_resumption_is_asked_for_again_without_harm(creating, sweeping, caller, ports):
    sweep = await sweeping(await creating())
    path, key = f"/sweeps/{sweep['id']}", {"Idempotency-Key": "go on"}
    await ports.sweeps.finish(UUID(sweep["id"]), RunStatus.FAILED, "its driver died")
    first = await caller.post(f"{path}/resume", headers=key)
    for _ in range(2):
        assert (await caller.post(f"{path}/cancel", headers={"Idempotency-Key": "enough"})).status_code == 200
    again = await caller.post(f"{path}/resume", headers=key)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert (await caller.get(path)).json()["data"]["status"] == "cancelled", "a copy does not begin it anew"


async def test_a_sweep_that_nobody_can_resume_says_so(creating, sweeping, caller, ports, refused):
    sweep = await sweeping(await creating())
    await ports.sweeps.finish(UUID(sweep["id"]), RunStatus.FAILED, "its driver died")
    ports.runner.reachable = False
    refused(await caller.post(f"/sweeps/{sweep['id']}/resume"), 503, "UNAVAILABLE")
    assert (await caller.get(f"/sweeps/{sweep['id']}")).json()["data"]["status"] == "failed"


async def test_results_come_as_parquet_all_at_once(creating, sweeping, running, caller):
    sweep = await sweeping(await creating())
    await running(sweep)
    answer = await caller.get(f"/sweeps/{sweep['id']}/results", format="parquet", sort="index")
    columns = parquet.decode(answer.content)
    assert columns["index"].tolist() == [0, 1, 2, 3, 4, 5]
    assert columns["fast_bars"].tolist() == [3, 3, 3, 6, 6, 6]
    assert len(columns["sharpe"]) == 6


@pytest.mark.parametrize("kind", ["csv", "parquet"])
async def test_a_file_of_many_parts_is_written_away_from_the_event_loop(
    creating, sweeping, running, caller, monkeypatch, kind
):
    sweep = await sweeping(await creating())
    await running(sweep)
    path = f"/sweeps/{sweep['id']}/results"
    whole, places = (await caller.get(path, format=kind)).content, []
    columns = sweeps._columns

    def seen(sweep, points):
        places.append((len(points), threading.current_thread() is threading.main_thread()))
        return columns(sweep, points)

    monkeypatch.setattr(sweeps, "_BATCH", 4)
    monkeypatch.setattr(sweeps, "_columns", seen)
    assert (await caller.get(path, format=kind)).content == whole
    assert [place for place in places if place[0]] == [(4, False), (2, False)]
