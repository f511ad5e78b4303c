"""A sweep of somebody's code comes to what a built-in one does, to the bit, and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import ray

from cluster.processes import started
from omc.adapters.sandbox_process.sandbox import Deadlines
from omc.adapters.sandbox_process.sandboxes import Sandboxes, end_all
from omc.backtest.run import RunStatus
from omc.backtest.sweep import MemorySweepStore, Sweep
from omc.clock import ManualClock
from omc.strategy.maker import CUSTOM, Maker
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from tests.omc.adapters.sandbox_process.plain import file_of
from tests.tune_jobs.test_sameness import MortalStore, asked, told
from tests.tune_jobs.test_sweep import START, TERMS, market, sweep
from tune_jobs.deaths import IN_A_ROW
from tune_jobs.sweep import run

pytestmark = [pytest.mark.ray, pytest.mark.long, pytest.mark.usefixtures("ray_cluster")]

ROWS = 2_000
OWN_SOURCE = file_of(MovingAverageCrossover)


def making(**deadlines: float) -> Maker:
    """Patient with code that is to answer, on a machine that may be busy. A second is too short to tell such a machine
    from code that is late."""
    return Maker(Sandboxes(deadlines=replace(Deadlines(load_s=60.0, predict_s=60.0), **deadlines)).of)


MAKER = making()

# Loops, leaves, fills the memory, floods, raises, or keeps what it should not: by its parameter.
MISBEHAVES = """
import random

seen = []
chance = np.random.default_rng(3)

class Misbehaves:
    memory_bars = 3

    def __init__(self, what="fine", bars=3):
        self.what, self.bars = what, bars

    def predict(self, frame):
        seen.append(self.bars)
        if self.what == "loops":
            while True:
                pass
        if self.what == "recurses":
            return self.predict(frame)
        if self.what == "fills":
            held = []
            while True:
                held.append(np.zeros(20_000_000))
        if self.what == "floods":
            for _ in range(5_000):
                print("and on " * 100)
        if self.what == "raises":
            raise ValueError("no mood")
        level = (1.0 + chance.random() * random.random()) / (2 * len(seen) * len(frame.coins))
        return (frame.last > frame.indicators.mean(self.bars)) * level
"""
LOOPS = """
class Loops:
    memory_bars = 3

    def __init__(self, bars=3):
        self.bars = bars

    def predict(self, frame):
        while True:
            pass
"""


def of_code(wanted: Sweep, **parameters: object) -> Sweep:
    return replace(wanted, id=uuid4(), spec=replace(wanted.spec, algorithm_type=CUSTOM, parameters=parameters))


async def swept(wanted: Sweep, code: str | None, *, cpus: float = 2.0, store: MemorySweepStore | None = None, **given):
    """The sweep as it ended, and its points. Two CPUs a batch leave room for two workers."""
    store = store or MemorySweepStore(ManualClock(START))
    if wanted.id not in store.kept:
        await store.create(wanted)
    with tempfile.TemporaryDirectory() as scratch:
        make = given.pop("maker", MAKER).of(code)
        ended = await run(
            wanted, market(ROWS), store, TERMS, scratch=Path(scratch), cpus_per_batch=cpus, make=make, **given
        )
    return ended, store.points[wanted.id]


class Seen:
    """Zygotes below this process, and what they forked, looked for again and again."""

    def __init__(self) -> None:
        self.zygotes: dict[int, int] = {}
        """By number, and who started it."""
        self.sandboxes: set[int] = set()
        self._since: dict[int, int | None] = {}
        """When each of them started: numbers come round again, and threads have some, too."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Seen":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def of_workers(self) -> dict[int, int]:
        return {zygote: by for zygote, by in self.zygotes.items() if by != os.getpid()}

    @property
    def alive(self) -> list[int]:
        return [each for each in (*self.zygotes, *self.sandboxes) if self._lives(each)]

    def _lives(self, process: int) -> bool:
        since = self._since[process]
        return since is not None and started(process) == since

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            parents = _parents()
            zygotes, sandboxes = dict(self.zygotes), set(self.sandboxes)
            for process, parent in parents.items():
                if parent in zygotes and self._lives(parent):
                    sandboxes.add(process)
                elif process not in zygotes and _is_zygote(process) and _below(process, parents):
                    zygotes[process] = parent
                    self._since[process] = started(process)
            self._since |= {each: started(each) for each in sandboxes - self._since.keys()}
            # New ones instead of changed ones: a test may be looking through the old ones meanwhile.
            self.zygotes, self.sandboxes = zygotes, sandboxes


def _parents() -> dict[int, int]:
    found = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            found[int(each.parent.name)] = int(each.read_text().rpartition(")")[2].split()[1])
    return found


def _is_zygote(process: int) -> bool:
    with suppress(OSError):
        return b"sandbox_process.zygote" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def _below(process: int, parents: dict[int, int]) -> bool:
    while process in parents:
        process = parents[process]
        if process == os.getpid():
            return True
    return False


async def until(reached: Callable[[], bool]) -> None:
    """The harness ends a test that waits for ever."""
    while not reached():  # noqa: ASYNC110 - other processes tell of nothing
        await asyncio.sleep(0.05)


@pytest.fixture(autouse=True)
async def seen() -> AsyncIterator[Seen]:
    """Whatever a test does, what it started ends with it."""
    with Seen() as found:
        yield found
        end_all()
        assert found.zygotes
        await until(lambda: not found.alive)


@pytest.mark.parametrize(
    "wanted",
    [asked("random", prune=True), asked("optuna", prune=True, scheme="rolling", purge_bars=5)],
    ids=["random", "optuna"],
)
async def test_code_comes_to_what_is_built_in_whatever_the_workers_and_a_killed_sweep_goes_on(wanted: Sweep):
    plain, points = await swept(replace(wanted, id=uuid4()), None)
    parameters = dict(wanted.spec.parameters)
    ended, same = await swept(of_code(wanted, **parameters), OWN_SOURCE)
    assert told(ended) == told(plain)
    assert same == points
    alone, same = await swept(of_code(wanted, **parameters), OWN_SOURCE, cpus=4.0, largest_batch=4)
    assert told(alone) == told(plain)
    assert same == points

    killed, store = of_code(wanted, **parameters), MortalStore(batches=3)
    with pytest.raises(RuntimeError, match="killed"):
        await swept(killed, OWN_SOURCE, store=store, largest_batch=6)
    assert 0 < len(store.points[killed.id]) < 45
    store.left = None
    await store.reopen(killed.id)
    resumed, same = await swept(store.kept[killed.id], OWN_SOURCE, store=store)
    assert told(resumed) == told(plain)
    assert same == points


async def test_what_code_keeps_between_points_changes_none_of_them():
    wanted = of_code(sweep({"bars": [2, 3, 5, 8, 13, 21], "what": ["fine", "well"]}, ROWS), what="fine", bars=3)
    one, points = await swept(wanted, MISBEHAVES, cpus=4.0)
    other, same = await swept(replace(wanted, id=uuid4()), MISBEHAVES, largest_batch=1)
    assert (one.status, one.failed) == (RunStatus.COMPLETED, 0)
    assert same == points
    assert len({point.metrics["total_return"] for point in points.values()}) > 1
    assert other.best == one.best


async def test_a_point_that_misbehaves_fails_alone_with_its_name():
    what = ["fine", "loops", "recurses", "fills", "floods", "raises", "well"]
    wanted = of_code(sweep({"bars": [3, 5], "what": what}, ROWS), what="fine", bars=3)
    ended, points = await swept(wanted, MISBEHAVES, maker=making(predict_s=1.0))
    assert ended.status is RunStatus.COMPLETED, ended.error_message
    said = {point.parameters["what"]: point for point in points.values()}
    assert "did not answer within 1 s" in said["loops"].error
    assert "RecursionError" in said["recurses"].error
    assert "MemoryError" in said["fills"].error
    assert said["raises"].error.startswith("ValueError: no mood (line 28 in predict)")
    assert "line 28 in predict" in said["raises"].traceback
    assert {name for name, point in said.items() if point.error is None} == {"fine", "floods", "well"}
    assert ended.failed == 8
    assert ended.error_message.startswith("8 points failed: ")


async def test_code_whose_every_point_loops_ends_its_sweep_before_long():
    wanted = of_code(sweep({"bars": list(range(3, 103))}, ROWS), bars=3)
    ended, points = await swept(wanted, LOOPS, maker=making(predict_s=0.5))
    assert ended.status is RunStatus.FAILED
    assert f"points, {IN_A_ROW} of them in a row; at one of them: the code did not answer" in ended.error_message
    assert IN_A_ROW <= len(points) < 50


async def test_whoever_pays_ends_a_sweep_that_goes_on_later():
    told_s: list[float] = []

    async def charge(cpu_s: float) -> str | None:
        told_s.append(cpu_s)
        return "today's CPU seconds are used up" if len(told_s) == 2 else None

    wanted = of_code(sweep({"bars": list(range(3, 43))}, ROWS), what="fine", bars=3)
    store = MemorySweepStore(ManualClock(START))
    ended, points = await swept(wanted, MISBEHAVES, store=store, charge=charge, largest_batch=5)
    assert (ended.status, ended.error_message) == (RunStatus.FAILED, "today's CPU seconds are used up")
    assert 10 <= len(points) < 40
    assert min(told_s) > 0.0
    await store.reopen(wanted.id)
    ended, points = await swept(store.kept[wanted.id], MISBEHAVES, store=store)
    assert (ended.status, len(points)) == (RunStatus.COMPLETED, 40)


async def test_nothing_is_left_of_a_worker_that_was_killed_and_another_goes_on(seen: Seen):
    wanted = of_code(sweep({"bars": list(range(3, 203))}, ROWS), what="fine", bars=3)
    going = asyncio.create_task(swept(wanted, MISBEHAVES, largest_batch=2))
    await until(lambda: bool(seen.of_workers))
    zygote, worker = next(iter(seen.of_workers.items()))
    await until(lambda: any(_parents().get(each) == zygote for each in seen.sandboxes))
    os.kill(worker, signal.SIGKILL)
    await until(lambda: zygote not in seen.alive)
    ended, points = await going
    assert (ended.status, len(points)) == (RunStatus.COMPLETED, 200)


async def test_a_sweep_that_is_closed_leaves_no_sandbox_though_its_code_loops(seen: Seen):
    wanted = of_code(sweep({"bars": list(range(3, 103))}, ROWS), bars=3)
    store, paid = MemorySweepStore(ManualClock(START)), []

    async def broken_off() -> None:
        paid.append("what was under way")

    going = asyncio.create_task(swept(wanted, LOOPS, store=store, broken_off=broken_off))
    await until(lambda: bool(seen.of_workers))
    await store.finish(wanted.id, RunStatus.CANCELLED)
    ended, _ = await going
    assert ended.status is RunStatus.CANCELLED
    assert paid == ["what was under way"]


async def carry_on() -> None:
    """A sweep whose every point loops, in a process of its own."""
    await swept(of_code(sweep({"bars": list(range(3, 103))}, ROWS), bars=3), LOOPS, maker=making(predict_s=600.0))


def driving(address: str) -> subprocess.Popen[bytes]:
    begin = f"import asyncio, ray; ray.init(address={address!r}); from {__name__} import carry_on"
    said = f"{begin}; asyncio.run(carry_on())"
    return subprocess.Popen([sys.executable, "-c", said], cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)


async def test_nothing_is_left_when_the_driver_is_killed(seen: Seen):
    driver = driving(ray.get_runtime_context().gcs_address)
    await until(lambda: any(by != driver.pid for by in seen.of_workers.values()))
    await until(lambda: driver.pid in seen.zygotes.values())
    driver.kill()
    driver.wait()
    await until(lambda: not seen.alive)
    assert ray.cluster_resources()["CPU"] == 4.0
    await until(lambda: ray.available_resources().get("CPU") == 4.0)


async def test_code_that_does_not_even_load_fails_its_sweep_with_a_sentence():
    ended, points = await swept(
        of_code(sweep({"bars": [3]}, ROWS)), "while True:\n    pass\n", maker=making(load_s=1.0)
    )
    assert ended.status is RunStatus.FAILED
    assert "defines no algorithm" in ended.error_message or "did not answer" in ended.error_message
    assert points == {}
