"""What is measured is everything that was computed, whoever computed it and however it ended."""

import asyncio
import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from omc.errors import Refused
from omc.strategy.maker import CUSTOM, Maker
from serve_apps.making import apart, asked
from serve_apps.meter import Meter
from tests.serve_apps.lab.coding import PLAIN, TWIN


def busy(cpu_s: float) -> str:
    until = time.thread_time() + cpu_s
    while time.thread_time() < until:
        pass
    return "done"


async def test_what_runs_apart_while_the_meter_is_on_is_counted_and_nothing_else():
    meter = Meter(Maker())
    with meter.on():
        assert await apart(busy, 0.05) == "done"
    await apart(busy, 0.5)
    assert 0.05 <= meter.cpu_s < 0.5


async def test_meters_that_are_on_at_once_do_not_meet():
    async def spend(cpu_s: float) -> float:
        meter = Meter(Maker())
        with meter.on():
            await asyncio.gather(*(apart(busy, cpu_s / 2) for _ in range(2)))
        return meter.cpu_s

    one, other = await asyncio.gather(spend(0.02), spend(0.2))
    assert one < 0.1 < 0.2 <= other


async def test_work_that_fails_counts_as_well():
    meter = Meter(Maker())

    def fails() -> None:
        busy(0.02)
        raise ValueError("in the end")

    with ThreadPoolExecutor(1) as threads, pytest.raises(ValueError, match="in the end"):
        await meter.run(fails, within=threads)
    assert meter.cpu_s >= 0.02


async def test_sleep_costs_nothing():
    meter = Meter(Maker())
    with meter.on():
        await apart(time.sleep, 0.2)
    assert meter.cpu_s < 0.2


async def test_sandboxes_count_also_when_their_code_could_not_even_be_loaded():
    meter = Meter(TWIN)
    looping = "for n in range(10**6):\n    n\n1 / 0\n"
    with pytest.raises(Refused):
        await asked(meter.maker.of(looping), CUSTOM, {}, lambda algorithm: algorithm.memory_bars)
    failed_s = meter.cpu_s
    assert failed_s > 0.005
    assert await asked(meter.maker.of(PLAIN), CUSTOM, {"bars": 3}, lambda algorithm: algorithm.memory_bars) == 4
    assert meter.cpu_s > failed_s


def test_a_maker_that_travels_leaves_its_meter_behind():
    meter = Meter(TWIN_OF_A_FUNCTION)
    meter.maker.of(PLAIN)(CUSTOM, {}).close()
    there = pickle.loads(pickle.dumps(meter.maker))
    measured_s = meter.cpu_s
    there.of(PLAIN)(CUSTOM, {}).close()
    assert there.sandbox is opened
    assert meter.cpu_s == measured_s > 0


def opened(source):
    return TWIN.sandbox(source)


TWIN_OF_A_FUNCTION = Maker(opened)


async def test_where_no_code_can_run_the_maker_says_why_as_before():
    assert Meter(Maker(why="there is no wall")).maker == Maker(why="there is no wall")
