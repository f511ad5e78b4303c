"""Work whose client has gone."""

import asyncio
import logging

import pytest

from serve_apps.uncut import uncut


async def test_work_is_finished_though_nobody_waits_for_it_any_more():
    begun, go_on, steps = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        steps.append("first")
        begun.set()
        await go_on.wait()
        steps.append("second")

    handler = asyncio.create_task(uncut(work()))
    await begun.wait()
    handler.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handler
    go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert steps == ["first", "second"]


async def test_whoever_waits_gets_the_outcome():
    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise ValueError("no")

    assert await uncut(answer()) == 42
    with pytest.raises(ValueError, match="no"):
        await uncut(fail())


async def test_a_fault_that_nobody_waits_for_is_logged(caplog: pytest.LogCaptureFixture):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        raise ValueError("lost and found")

    handler = asyncio.create_task(uncut(work()))
    await begun.wait()
    handler.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handler
    with caplog.at_level(logging.ERROR, "omc.http"):
        go_on.set()
        for _ in range(3):
            await asyncio.sleep(0)
    assert "lost and found" in caplog.text
