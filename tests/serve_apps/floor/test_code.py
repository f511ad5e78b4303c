"""People's own code on the floor: put to work when it can be, and compared with the backtest of the same version."""

import asyncio
import threading
from collections import Counter
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import numpy as np
import pytest

from omc.access.quota import Allowance
from omc.errors import DeadlineExceeded, Unavailable
from omc.feature.frame import Frame, as_datetime64
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


async def test_code_that_looks_back_too_far_on_so_many_coins_is_not_deployed(asking, ports, archive, clock, refused):
    coins = [f"C{number:03d}" for number in range(100)]
    prices = np.ones((1, len(coins)))
    await archive.load(Frame(np.array([as_datetime64(clock.now())]), tuple(coins), prices, prices, prices))
    far = "class It:\n    memory_bars = {}\n    def predict(self, frame): return frame.last * 0.0"
    error = refused(await asking(far.format(30_001), {}, coins=coins), 422, "VALIDATION_ERROR")
    assert error["message"] == "it looks back 30,001 bars: at most 30,000 are kept on the floor of 100 coins"
    assert ports.deployments.kept == {}
    assert (await asking(far.format(30_000), {}, coins=coins)).status_code == 201


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


@pytest.fixture
def looping(ports, calling, caller):
    """`looping()` is the caller where code that decides on a whole window goes on until `looping.end` is set, and
    `looping.begun` is released by each."""

    class Loops(MemorySandbox):
        def predict(self, *asked):
            there.begun.release()
            assert there.end.wait(300)
            return super().predict(*asked)

    def there():
        return calling(build(replace(ports, maker=Maker(partial(Loops, load=load)))), PREFIX, caller.user_id)

    there.begun, there.end = threading.Semaphore(0), threading.Event()
    yield there
    there.end.set()


async def test_nobodys_looping_code_keeps_an_emergency_stop_waiting(asking, playing, caller, looping, refused):
    made = (await asking(CROSSOVER)).json()["data"]
    await playing(made["id"], FIRST, LAST)
    here = looping()
    path = f"/algorithms/{made['id']}/parity"
    under_way = [asyncio.create_task(here.get(path)) for _ in range(64)]
    ended = asyncio.as_completed(under_way)
    assert {(await next(ended)).status_code for _ in range(56)} == {429}
    error = refused(await here.get(f"/algorithms/{made['id']}/report"), 429, "RATE_LIMITED")
    assert "8 of your requests that run algorithms are under way" in error["message"]
    assert (await here.post(f"/algorithms/{made['id']}/pause")).status_code == 200
    assert (await here.post("/emergency-stop")).json()["data"]["halted"] is True
    looping.end.set()
    answers = [(await task).status_code for task in under_way]
    assert Counter(answers) == {429: 56, 200: 8}
    assert (await here.get(path)).status_code == 200


async def test_looping_code_leaves_places_to_others_and_to_what_ships_with_the_platform(
    asking, playing, caller, looping, deploying
):
    made, built_in = (await asking(CROSSOVER)).json()["data"], await deploying()
    await playing(made["id"], FIRST, LAST)
    await playing(built_in["id"], FIRST, LAST)
    here = looping()
    under_way = [asyncio.create_task(here.get(f"/algorithms/{made['id']}/parity")) for _ in range(12)]
    for _ in range(2):
        assert await asyncio.to_thread(looping.begun.acquire, timeout=300)
    answers = await asyncio.gather(*(here.get(f"/algorithms/{built_in['id']}/parity") for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert not looping.begun.acquire(blocking=False)
    looping.end.set()
    await asyncio.gather(*under_way)


async def test_what_code_computes_on_the_floor_is_charged_and_ends_with_the_days_allowance(
    asking, playing, caller, ports, calling, deploying, refused
):
    today = ports.clock.now().date()
    made, built_in = (await asking(CROSSOVER)).json()["data"], await deploying()
    deployed_s = await ports.usage.used(caller.user_id, today)
    assert deployed_s > 0
    for each in (made, built_in):
        await playing(each["id"], FIRST, LAST)
    await caller.get(f"/algorithms/{built_in['id']}/parity")
    assert await ports.usage.used(caller.user_id, today) == deployed_s
    assert (await caller.get(f"/algorithms/{made['id']}/parity")).status_code == 200
    assert await ports.usage.used(caller.user_id, today) > deployed_s
    poor = calling(build(replace(ports, allowance=Allowance(cpu_s=1e-9))), PREFIX, caller.user_id)
    for asked in ("parity", "report"):
        error = refused(await poor.get(f"/algorithms/{made['id']}/{asked}"), 429, "RATE_LIMITED")
        assert error["details"]["quota"] == "cpu_s"
        assert (await poor.get(f"/algorithms/{built_in['id']}/{asked}")).status_code == 200
    assert (await poor.post(f"/algorithms/{made['id']}/pause")).status_code == 200
    assert (await poor.post("/emergency-stop")).status_code == 200
