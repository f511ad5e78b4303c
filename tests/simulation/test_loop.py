"""The loop of a simulation: its time never waits, and what is dead stays dead."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

import pytest

from tests.simulation.loop import Life, Stuck, VirtualLoop


def played(work: Coroutine[Any, Any, Any], loop: VirtualLoop) -> Any:
    try:
        return Context().run(loop.run_until_complete, work)
    finally:
        loop.dismiss()


def begun(loop: VirtualLoop, life: Life, work: Coroutine[Any, Any, Any]) -> None:
    loop.create_task(work, context=life.context.copy())


def test_a_year_passes_at_once() -> None:
    loop = VirtualLoop()

    async def wait() -> float:
        await asyncio.sleep(365 * 86_400)
        return loop.time()

    assert played(wait(), loop) == 365 * 86_400


def test_timers_are_run_in_the_order_of_their_times_and_then_of_their_making() -> None:
    loop, seen = VirtualLoop(), list[str]()

    async def wait() -> None:
        for delay, name in ((2.0, "last"), (1.0, "first"), (1.0, "second")):
            loop.call_later(delay, seen.append, name)
        await asyncio.sleep(3.0)

    played(wait(), loop)
    assert seen == ["first", "second", "last"]


def test_what_is_killed_never_runs_again_not_even_to_clean_up() -> None:
    loop, seen, life = VirtualLoop(), list[str](), Life("a process", 1)

    async def work() -> None:
        try:
            seen.append("began")
            await asyncio.sleep(1.0)
            seen.append("went on")
        except BaseException:
            seen.append("was told")
            raise
        finally:
            seen.append("cleaned up")

    async def wait() -> list[str]:
        begun(loop, life, work())
        await asyncio.sleep(0.5)
        life.dead = True
        await asyncio.sleep(10.0)
        return list(seen)

    assert played(wait(), loop) == ["began"]


def test_what_stands_still_goes_on_where_it_stood_and_late() -> None:
    loop, seen, life = VirtualLoop(), list[tuple[str, float]](), Life("a process", 1)

    async def work(name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        seen.append((name, loop.time()))

    async def wait() -> None:
        begun(loop, life, work("first", 1.0))
        begun(loop, life, work("second", 2.0))
        await asyncio.sleep(0.5)
        life.still = True
        await asyncio.sleep(9.5)
        loop.go_on(life)
        await asyncio.sleep(1.0)

    played(wait(), loop)
    assert seen == [("first", 10.0), ("second", 10.0)]


def test_what_is_done_in_a_thread_is_done_at_once_and_told_later() -> None:
    loop = VirtualLoop()

    async def wait() -> tuple[int, bool]:
        began = loop.time()
        answer = await asyncio.to_thread(sum, (1, 2, 3))
        return answer, loop.time() > began

    assert played(wait(), loop) == (6, True)


def test_a_wait_for_nothing_is_told_and_does_not_last_forever() -> None:
    loop = VirtualLoop()

    async def wait() -> None:
        await loop.create_future()

    with pytest.raises(Stuck):
        played(wait(), loop)
