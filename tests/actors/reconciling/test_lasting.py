"""How long something has been so is counted from when it was first told, for as long as it is told."""

import asyncio

from actors.reconciling.lasting import Lasting


async def passed(since: float) -> None:
    await asyncio.sleep(0.001)
    assert asyncio.get_running_loop().time() > since


async def test_what_is_told_again_lasts_and_what_is_not_begins_anew() -> None:
    lasting, now = Lasting(), asyncio.get_running_loop().time
    assert lasting.of(["a", "b"]) == {"a": 0.0, "b": 0.0}
    await passed(now())
    again = lasting.of(["a"])
    assert list(again) == ["a"]
    assert again["a"] > 0.0
    assert lasting.of(["b"]) == {"b": 0.0}
