"""Questions that are asked by many at the same moment."""

import asyncio

import pytest

from serve_apps.together import Together


class Counting:
    def __init__(self) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self) -> int:
        self.asked += 1
        await self.go_on.wait()
        if self.fault:
            raise self.fault
        return self.asked


@pytest.fixture
def ask() -> Counting:
    return Counting()


async def test_whoever_comes_while_it_is_asked_gets_the_same_answer(ask):
    together = Together(ask)
    several = [asyncio.create_task(together()) for _ in range(5)]
    await asyncio.sleep(0)
    ask.go_on.set()
    assert await asyncio.gather(*several) == [1] * 5


async def test_whoever_comes_later_asks_again(ask):
    together = Together(ask)
    ask.go_on.set()
    assert [await together(), await together()] == [1, 2]


async def test_one_who_leaves_takes_the_answer_from_nobody(ask):
    together = Together(ask)
    first, second = (asyncio.create_task(together()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait((first,))
    ask.go_on.set()
    assert await second == 1


async def test_a_failure_is_everybodys_and_is_not_kept(ask):
    together = Together(ask)
    ask.fault = ValueError("no")
    ask.go_on.set()
    answers = await asyncio.gather(*(together() for _ in range(3)), return_exceptions=True)
    assert [str(each) for each in answers] == ["no"] * 3
    ask.fault = None
    assert await together() == 2
