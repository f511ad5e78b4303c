"""People's own code on the floor: put to work when it can be, and compared with the backtest of the same version."""

from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import pytest

from omc.errors import DeadlineExceeded, Unavailable
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.maker import CUSTOM, Maker
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.pairs import Pairs
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from serve_apps.floor.app import PREFIX, build
from tests.omc.adapters.sandbox_process.plain import file_of

CROSSOVER = file_of(MovingAverageCrossover)
SHORT = {"fast_bars": 4, "slow_bars": 12}
FIRST, LAST = 20, 520


@pytest.fixture
def opened() -> list[MemorySandbox]:
    return []


@pytest.fixture
def ports(ports, opened):
    def opening(source: str) -> MemorySandbox:
        opened.append(MemorySandbox(source, load))
        return opened[-1]

    return replace(ports, maker=Maker(opening))


@pytest.fixture
def storing(ports, caller, clock):
    """`await storing(source)` keeps it as the caller's, fit for paper."""

    async def store(source, status="validated", parameters=None):
        now = clock.now()
        wanted = SHORT if parameters is None else parameters
        record = AlgorithmRecord(
            uuid4(), caller.user_id, "Mine", None, CUSTOM, source, wanted, AlgorithmStatus(status), 1, now, now
        )
        return await ports.algorithms.create(record)

    return store


@pytest.fixture
def asking(caller, storing):
    """`await asking(source)` is the answer to deploying it."""

    async def ask(source, stored=None, **change):
        record = await storing(source, parameters=stored)
        body = {
            "algorithm_id": str(record.id),
            "deployment_name": f"mine {uuid4().hex[:6]}",
            "coins": ["BTC", "ETH"],
            "mode": "paper",
            "cash": "10000.00",
        }
        return await caller.post("/deploy", body | change)

    return ask


def left(opened):
    """Sandboxes that still hold code."""
    return [each for each in opened if "_bench" in each.__dict__]


async def test_code_is_put_to_work_and_its_sandbox_closed(asking, opened):
    answer = await asking(CROSSOVER)
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert (made["algorithm_type"], made["parameters"], made["status"]) == ("custom", SHORT, "active")
    assert len(opened) == 1
    assert left(opened) == []


@pytest.mark.parametrize(
    ("source", "change", "said"),
    [
        ("import os\n", {}, "line 1"),
        ("x = \n", {}, "line 1"),
        ("x = 1", {}, "no algorithm"),
        ("raise ValueError('when it is loaded')", {}, "when it is loaded"),
        (CROSSOVER, {"parameters": {"speed": 1}}, "no parameter 'speed'"),
        (CROSSOVER, {"parameters": {"fast_bars": 0}}, "fast_bars"),
        (CROSSOVER, {"parameters": {"fast_bars": 40}}, "must be less than"),
        (file_of(Pairs), {"coins": ["BTC"]}, "needs exactly 2 coins, not 1"),
        ("class It:\n    memory_bars = 'all'\n    def predict(self, frame): return frame.last", {}, "memory_bars"),
        (
            "class It:\n    memory_bars = 1_500_000\n    def predict(self, frame): return frame.last",
            {},
            "at most 1,000,000",
        ),
    ],
    ids=["import", "syntax", "nothing", "raises", "unknown", "out of range", "together", "coins", "memory", "too much"],
)
async def test_code_that_cannot_run_is_refused_with_what_is_wrong(asking, ports, opened, refused, source, change, said):
    stored = SHORT if source == CROSSOVER else {}
    error = refused(await asking(source, stored, **change), 422, "VALIDATION_ERROR")
    assert said in error["message"]
    assert ports.deployments.kept == {}
    assert left(opened) == []


async def test_code_is_refused_where_there_is_no_sandbox_for_it(ports, calling, caller, storing, refused):
    there = calling(build(replace(ports, maker=Maker(why="this kernel has no Landlock"))), PREFIX, caller.user_id)
    body = {"algorithm_id": str((await storing(CROSSOVER)).id), "deployment_name": "x", "coins": ["BTC"]}
    error = refused(await there.post("/deploy", {**body, "mode": "paper", "cash": "1"}), 422, "VALIDATION_ERROR")
    assert "this kernel has no Landlock" in error["message"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [(Unavailable("no sandbox now"), 503, "UNAVAILABLE"), (DeadlineExceeded("too slow"), 422, "VALIDATION_ERROR")],
)
async def test_a_sandbox_that_does_not_answer_deploys_nothing(
    ports, calling, caller, storing, refused, fault, status, code
):
    class Falters(MemorySandbox):
        def describe(self):
            raise fault

    there = calling(build(replace(ports, maker=Maker(partial(Falters, load=load)))), PREFIX, caller.user_id)
    body = {"algorithm_id": str((await storing(CROSSOVER)).id), "deployment_name": "x", "coins": ["BTC"]}
    refused(await there.post("/deploy", {**body, "mode": "paper", "cash": "1"}), status, code)
    assert ports.deployments.kept == {}


async def test_live_code_needs_both_walls(ports, calling, caller, storing, refused):
    unsafe = build(replace(ports, maker=replace(ports.maker, unsafe=True)))
    body = {"algorithm_id": str((await storing(CROSSOVER, "deployable")).id), "deployment_name": "x", "coins": ["BTC"]}
    there, live = calling(unsafe, PREFIX, caller.user_id), {**body, "mode": "live", "cash": "1"}
    assert "behind both walls" in refused(await there.post("/deploy", live), 409, "CONFLICT")["message"]
    assert (await there.post("/deploy", {**live, "mode": "paper"})).status_code == 201
    assert "credentials" in refused(await caller.post("/deploy", live), 409, "CONFLICT")["message"]


async def test_the_floor_of_code_is_compared_with_the_version_that_was_deployed(asking, playing, caller, ports, opened):
    made = (await asking(CROSSOVER)).json()["data"]
    record = await ports.algorithms.get(UUID(made["algorithm_id"]), caller.user_id)
    await playing(made["id"], FIRST, LAST)
    opened.clear()
    await ports.algorithms.update(replace(record, code="raise ValueError('the newer version')"))
    parity = (await caller.get(f"/algorithms/{made['id']}/parity")).json()["data"]
    assert parity["differences"] == []
    assert parity["floor_trades"] == parity["backtest_trades"] > 20
    page = await caller.get(f"/algorithms/{made['id']}/report")
    assert page.text.count('<tr class="fill">') == parity["floor_trades"]
    assert "the floor has no such trade" not in page.text
    assert len(opened) >= 2
    assert left(opened) == []


async def test_what_a_deployment_earned_asks_no_code(asking, playing, caller, opened):
    made = (await asking(CROSSOVER)).json()["data"]
    await playing(made["id"], FIRST, LAST)
    opened.clear()
    for asked in ("equity", "performance", "decisions"):
        assert (await caller.get(f"/algorithms/{made['id']}/{asked}")).status_code == 200
    assert opened == []


async def test_a_pause_by_its_code_is_shown(asking, caller, ports):
    made = (await asking(CROSSOVER)).json()["data"]
    ours = next(iter(ports.deployments.kept))
    await ports.deployments.report_error(ours, "the algorithm failed: KeyError: 'BTC' (line 3 in predict)")
    shown = (await caller.get(f"/deployments/{made['id']}")).json()["data"]
    assert shown["last_error"] == "the algorithm failed: KeyError: 'BTC' (line 3 in predict)"
