"""Whoever's code it is, others get their turn; and every backtest comes to an end that says why."""

import asyncio
import os
import sys
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.sandbox import Deadlines
from omc.adapters.sandbox_process.sandboxes import OpenSandbox, Sandboxes
from omc.backtest.run import RunStatus
from omc.backtest.study import study
from omc.strategy.maker import Maker
from serve_apps.lab import worker as working
from serve_apps.lab.worker import BacktestWorker, lanes_of


@pytest.fixture
def asking(window, clock):
    """`await asking(caller)` has somebody ask for a backtest; its id."""

    async def ask(caller, **change: object) -> UUID:
        body = {"name": "One", "algorithm_type": "moving_average_crossover", **change}
        made = await caller.post("/algorithms", body)
        assert made.status_code == 201, made.text
        answer = await caller.post(f"/algorithms/{made.json()['data']['id']}/backtest", window)
        assert answer.status_code == 202, answer.text
        clock.advance(timedelta(seconds=1))
        return UUID(answer.json()["data"]["id"])

    return ask


@dataclass
class Held:
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go_on: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def held(monkeypatch):
    """Backtests begin, and go on when they are let."""
    found = Held()

    def slowly(*arguments, **named):
        found.begun.release()
        assert found.go_on.wait(300)
        return study(*arguments, **named)

    monkeypatch.setattr(working, "study", slowly)
    yield found
    found.go_on.set()


def statuses(ports) -> dict[UUID, RunStatus]:
    return {run.id: run.status for run in ports.backtests.kept.values()}


async def under_way(held, count: int) -> None:
    for _ in range(count):
        assert await asyncio.to_thread(held.begun.acquire, timeout=300)


def test_there_are_at_least_two_lanes_and_cores_for_others():
    assert [lanes_of(cores) for cores in (1, 2, 4, 6, 64)] == [2, 2, 2, 3, 4]


async def test_nobody_gets_the_last_lane_while_they_have_another(ports, caller, other, asking, held):
    worker = BacktestWorker(ports, lanes=2)
    mine = [await asking(caller) for _ in range(3)]
    first = asyncio.create_task(worker.take_one())
    await under_way(held, 1)
    assert not await worker.take_one()
    theirs = await asking(other)
    second = asyncio.create_task(worker.take_one())
    await under_way(held, 1)
    found = statuses(ports)
    assert [found[each] for each in (*mine, theirs)] == ["running", "queued", "queued", "running"]
    held.go_on.set()
    assert await first
    assert await second
    assert statuses(ports)[theirs] is RunStatus.COMPLETED
    assert await worker.take_one()


async def test_a_run_that_was_deleted_holds_its_owners_lane_while_it_is_carried_out(ports, caller, asking, held):
    worker = BacktestWorker(ports, lanes=2)
    mine = [await asking(caller) for _ in range(2)]
    first = asyncio.create_task(worker.take_one())
    await under_way(held, 1)
    await caller.delete(f"/backtests/{mine[0]}")
    assert not await worker.take_one()
    held.go_on.set()
    assert await first
    assert await worker.take_one()
    assert statuses(ports) == {mine[1]: RunStatus.COMPLETED}


async def test_one_lane_serves_everybody(ports, caller, other, asking):
    worker = BacktestWorker(ports, lanes=1)
    for each in (caller, caller, other):
        await asking(each)
    while await worker.take_one():
        pass
    assert set(statuses(ports).values()) == {RunStatus.COMPLETED}


@pytest.mark.skipif(sys.platform != "linux", reason="a process has one priority for all of its threads")
async def test_a_backtest_gives_way_to_requests(ports, caller, asking, monkeypatch):
    found = []

    def noting(*arguments, **named):
        found.append(os.getpriority(os.PRIO_PROCESS, 0))
        return study(*arguments, **named)

    monkeypatch.setattr(working, "study", noting)
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    await asking(caller)
    worker = BacktestWorker(ports, 2)
    assert await worker.take_one()
    await worker.stop()
    assert found == [min(mine + 15, 19)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine


async def test_users_take_turns(ports, caller, other, asking, clock):
    worker = BacktestWorker(ports, lanes=1)
    mine = [await asking(caller) for _ in range(3)]
    theirs = await asking(other)
    for _ in range(2):
        assert await worker.take_one()
        clock.advance(timedelta(seconds=1))
    found = statuses(ports)
    assert found[theirs] is RunStatus.COMPLETED
    assert [found[each] for each in mine].count(RunStatus.COMPLETED) == 1


async def test_a_worker_that_is_told_to_stop_stops_however_many_lanes_are_busy(ports, caller, other, asking, held):
    worker = BacktestWorker(ports, lanes=3)
    for each in (caller, other):
        await asking(each)
    worker.start()
    await under_way(held, 2)
    held.go_on.set()
    worker.wake()
    await asyncio.wait_for(worker.stop(), 120)


async def test_a_run_whose_version_is_gone_is_cancelled_and_says_so(ports, caller, asking, worker):
    run_id = await asking(caller)
    run = ports.backtests.kept[run_id]
    ports.backtests.kept[run_id] = replace(run, algorithm_version=7)
    assert await worker.take_one()
    ended = ports.backtests.kept[run_id]
    assert ended.status is RunStatus.CANCELLED
    assert ended.error_message == "what it was to test is gone: the algorithm has no version 7"
    ports.backtests.kept[run_id] = replace(run, algorithm_id=uuid4())
    assert await worker.take_one()
    assert "there is no algorithm" in ports.backtests.kept[run_id].error_message
    assert not await worker.take_one()


# A second is too short to tell a machine that is busy from code that is late.
SOON, PATIENT = Deadlines(load_s=60.0, predict_s=1.0), Deadlines(load_s=60.0, predict_s=60.0)
LIMITS = Limits(cpu_s=None, memory_bytes=400 * 2**20)
ENDS = {
    "loops": ("while True:\n            pass", "did not answer"),
    "sleeps in a loop of C": ("sum(range(10**12))", "did not answer"),
    "leaves": ("raise SystemExit(3)", "SystemExit"),
    "takes all memory": ("held = [np.ones(10**8) for _ in range(100)]", "MemoryError"),
    "recurses": ("return self.predict(frame)", "RecursionError"),
}
WORSE = "class It:\n    memory_bars = 1\n    def predict(self, frame):\n        {}\n        return frame.last * 0\n"


@pytest.mark.parametrize("end", ENDS)
async def test_however_code_ends_its_backtest_has_failed_and_the_next_one_is_run(ports, caller, other, asking, end):
    does, said = ENDS[end]
    # Only what never answers is to be late.
    sandboxes = Sandboxes(limits=LIMITS, deadlines=SOON if said == "did not answer" else PATIENT)
    opened = []

    def opening(source: str) -> OpenSandbox:
        opened.append(sandboxes.of(source))
        return opened[-1]

    worker = BacktestWorker(replace(ports, maker=Maker(opening)))
    run_id, honest = await asking(caller), await asking(other)
    record = next(each for each in ports.algorithms.kept.values() if each.user_id == caller.user_id)
    code = WORSE.format(does)
    stored = await ports.algorithms.update(replace(record, algorithm_type="custom", code=code, parameters={}))
    run = ports.backtests.kept[run_id]
    spec = replace(run.spec, algorithm_type="custom", parameters={})
    ports.backtests.kept[run_id] = replace(run, spec=spec, algorithm_version=stored.version)
    assert await worker.take_one()
    assert await worker.take_one()
    failed = await ports.backtests.get(run_id, caller.user_id)
    assert failed.status is RunStatus.FAILED
    assert said in failed.error_message
    assert (await ports.backtests.get(honest, other.user_id)).status is RunStatus.COMPLETED
    # All of it, however much the machine let it compute: what an end itself takes may not be known yet.
    assert await ports.usage.used(caller.user_id, ports.clock.now().date()) > 0.9 * sum(each.cpu_s for each in opened)
    assert all(each.cpu_s > 0 for each in opened)
