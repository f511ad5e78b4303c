"""Actors end with their test. In production the end of their process ends what they have begun; here they share one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

ACTORS = str(Path(__file__).parents[2] / "actors")


@pytest.fixture(autouse=True)
async def nothing_goes_on_afterwards() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = [task for task in asyncio.all_tasks() - before if _is_an_actors(task)]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _is_an_actors(task: "asyncio.Task[object]") -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and code.co_filename.startswith(ACTORS)
