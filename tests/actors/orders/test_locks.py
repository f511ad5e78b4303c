import asyncio

from actors.orders.locks import Locks


async def test_one_name_is_held_by_one_at_a_time_and_others_are_free() -> None:
    locks, seen = Locks(), list[str]()

    async def hold(name: str, mark: str) -> None:
        async with locks.held(name):
            seen.append(f"{mark}+")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen.append(f"{mark}-")

    await asyncio.gather(hold("a", "1"), hold("a", "2"), hold("b", "3"))
    assert seen.index("1-") < seen.index("2+")
    assert seen.index("3+") < seen.index("1-")
    assert locks._locks == {}


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    locks = Locks()
    async with locks.held("a"):
        waiting = asyncio.create_task(locks.held("a").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5), locks.held("a"):
        pass
    assert locks._locks == {}
