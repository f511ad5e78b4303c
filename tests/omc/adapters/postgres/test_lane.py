"""A lane, on a connection that answers when it is told to."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from omc.adapters.postgres.lane import Astray, Lane
from omc.errors import InvalidInput


class Server:
    """Connections to it, and every question that it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[dict[str, Any]]] = []
        self.opened = 0
        self.faults: list[BaseException] = []
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def connect(self) -> Any:
        self.opened += 1
        return Wire(self)

    def lane(self) -> Lane:
        return Lane(self.connect, "a statement")


class Wire:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._closed = False

    async def execute(self, _: str) -> None:
        """What a connection is set up with."""

    async def fetch(self, _: str, asked: str) -> list[dict[str, Any]]:
        questions = json.loads(asked)
        self._server.asked.append(questions)
        self._server.reached.set()
        await self._server.go_on.wait()
        if self._server.faults:
            raise self._server.faults.pop(0)
        return [{"at": each["at"], "said": each["number"]} for each in questions if each["number"] >= 0]

    async def set_type_codec(self, *_: Any, **__: Any) -> None:
        """What it is set up with besides."""

    def is_closed(self) -> bool:
        return self._closed

    def terminate(self) -> None:
        self._closed = True


async def said(lane: Lane, number: int) -> list[int]:
    return [row["said"] for row in await lane.ask({"number": number})]


async def test_what_is_asked_while_the_first_is_away_goes_together_and_each_gets_its_own_rows() -> None:
    server = Server()
    lane = server.lane()
    server.go_on.clear()
    first = asyncio.create_task(said(lane, 1))
    await server.reached.wait()
    rest = [asyncio.create_task(said(lane, number)) for number in (2, -3, 4)]
    await asyncio.sleep(0)
    server.go_on.set()
    assert await first == [1]
    assert await asyncio.gather(*rest) == [[2], [], [4]]
    assert [[each["number"] for each in questions] for questions in server.asked] == [[1], [2, -3, 4]]
    assert server.opened == 1


@pytest.mark.parametrize(
    ("fault", "unsure", "opened"),
    [
        (asyncpg.LockNotAvailableError("somebody has it"), False, 1),
        (asyncpg.NumericValueOutOfRangeError("too much"), False, 1),
        (asyncpg.AdminShutdownError("it goes"), True, 2),
        (ConnectionResetError(), True, 2),
        (asyncpg.InterfaceError("closed"), True, 2),
    ],
    ids=["a lock", "a value", "a shutdown", "a cut line", "a closed connection"],
)
async def test_a_fault_is_told_to_all_that_were_asked_together_and_to_nobody_after_them(
    fault: BaseException, unsure: bool, opened: int
) -> None:
    server = Server()
    lane = server.lane()
    server.faults.append(fault)
    both = await asyncio.gather(said(lane, 1), said(lane, 2), return_exceptions=True)
    assert [each.unsure for each in both if isinstance(each, Astray)] == [unsure] * 2
    assert await said(lane, 3) == [3]
    assert server.opened == opened


async def test_what_cannot_be_written_down_is_refused_before_it_joins_others() -> None:
    server = Server()
    with pytest.raises(InvalidInput):
        await server.lane().ask({"number": float("nan")})
    assert server.asked == []


async def test_one_that_is_cancelled_takes_nobody_with_it() -> None:
    server = Server()
    lane = server.lane()
    server.go_on.clear()
    gone, stays = asyncio.create_task(said(lane, 1)), asyncio.create_task(said(lane, 2))
    await server.reached.wait()
    gone.cancel()
    server.go_on.set()
    assert await stays == [2]
    assert gone.cancelled()


async def test_a_lane_that_is_closed_leaves_nobody_waiting() -> None:
    server = Server()
    lane = server.lane()
    server.go_on.clear()
    asked = asyncio.create_task(said(lane, 1))
    await server.reached.wait()
    await lane.close()
    with pytest.raises(Astray):
        await asked
