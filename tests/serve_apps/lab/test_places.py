"""Who has a place for work that takes minutes."""

import asyncio
from uuid import UUID

import pytest

from serve_apps.lab.places import Places

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


class Work:
    """Work in places, of which a test says when it ends; `under_way` names who has a place."""

    def __init__(self, places: Places) -> None:
        self.places, self.under_way, self._ends, self._tasks = places, [], {}, {}

    def begin(self, name: str, user_id: UUID) -> None:
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._go(name, user_id))

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self._tasks[name]

    async def _go(self, name: str, user_id: UUID) -> None:
        async with self.places.one(user_id):
            self.under_way.append(name)
            await self._ends[name].wait()
            self.under_way.remove(name)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def work() -> Work:
    return Work(Places(2))


async def test_one_users_work_keeps_no_other_waiting(work):
    for name, user_id in (("first", ONE), ("second", ONE), ("third", ONE), ("other", TWO)):
        work.begin(name, user_id)
    await settled()
    assert work.under_way == ["first", "other"]
    for name in ("first", "second", "third", "other"):
        await work.end(name)


async def test_more_users_than_places_have_them_in_turn(work):
    for name, user_id in (("first", ONE), ("other", TWO), ("third", THREE), ("again", ONE)):
        work.begin(name, user_id)
    await settled()
    assert work.under_way == ["first", "other"]
    await work.end("first")
    await settled()
    assert work.under_way == ["other", "third"]
    await work.end("other")
    await settled()
    assert work.under_way == ["third", "again"]
    for name in ("third", "again"):
        await work.end(name)


async def test_a_place_is_free_again_whatever_became_of_the_work(work):
    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            async with work.places.one(ONE):
                raise ValueError("no")
    work.begin("first", ONE)
    await settled()
    assert work.under_way == ["first"]
    await work.end("first")
