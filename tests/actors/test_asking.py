"""One question for all who have it at the same moment."""

import asyncio

import pytest

from actors.asking import Asking
from omc.errors import Unavailable


class Oracle:
    def __init__(self) -> None:
        self.asked = 0
        self.says = asyncio.Event()
        self.fault: Exception | None = None

    async def newest(self) -> int:
        self.asked += 1
        number = self.asked
        await self.says.wait()
        if self.fault is not None:
            raise self.fault
        return number


async def test_those_of_one_moment_share_an_answer_and_whoever_comes_later_asks_anew() -> None:
    oracle = Oracle()
    asking = Asking(oracle.newest)
    waiting = [asyncio.create_task(asking.answer()) for _ in range(3)]
    await asyncio.sleep(0)
    oracle.says.set()
    assert await asyncio.gather(*waiting) == [1, 1, 1]
    assert await asking.answer() == 2


async def test_one_that_waits_no_more_takes_the_answer_from_nobody_else() -> None:
    oracle = Oracle()
    asking = Asking(oracle.newest)
    gone, stays = asyncio.create_task(asking.answer()), asyncio.create_task(asking.answer())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    oracle.says.set()
    assert await stays == 1


async def test_a_fault_is_that_of_all_who_shared_it_and_of_nobody_after() -> None:
    oracle = Oracle()
    asking = Asking(oracle.newest)
    oracle.fault = Unavailable("a test")
    oracle.says.set()
    both = await asyncio.gather(asking.answer(), asking.answer(), return_exceptions=True)
    assert list(both) == [oracle.fault] * 2
    oracle.fault = None
    assert await asking.answer() == 2


async def test_it_is_not_asked_before_anybody_wants_to_know() -> None:
    oracle = Oracle()
    Asking(oracle.newest)
    await asyncio.sleep(0)
    assert oracle.asked == 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await Asking(oracle.newest).answer()
