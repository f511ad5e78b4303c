"""A replica's few places are not to be had by sending slowly, by sending what is never read, or by coming often."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, WebSocket

from cluster import body_first, front, front_words
from cluster.front import Front
from cluster.front_door import FrontDoor
from cluster.front_layout import Behind, Layout
from cluster.ports import LOOPBACK, free_port

pytestmark = pytest.mark.skipif(front.program() is None, reason="HAProxy does not come with Ray here")

PLACES = 4
ROOT = Behind("gateway", "", at_once=PLACES)
STREAMS = Behind("streams", "/ws", at_once=PLACES, sockets=True)
WISH = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
ASKS_SLOW = "GET /slow HTTP/1.1\r\nHost: here\r\n\r\n"
Standing = Callable[..., Awaitable[int]]


class Held:
    """Answers that are kept back until they may go on."""

    def __init__(self) -> None:
        self.under_way, self.goes_on = 0, asyncio.Event()

    async def answer(self) -> str:
        self.under_way += 1
        await self.goes_on.wait()
        return "at last"

    async def until(self, many: int) -> None:
        while self.under_way < many:  # noqa: ASYNC110 - a request tells nobody
            await asyncio.sleep(0.01)


def app(held: Held) -> FastAPI:
    built = FastAPI()

    @built.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    @built.post("/unread")
    async def unread() -> str:
        return "it does not matter"

    @built.api_route("/slow", methods=["GET", "POST"])
    async def slow() -> str:
        return await held.answer()

    @built.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)

    return built


@pytest.fixture
async def held() -> Held:
    return Held()


@pytest.fixture
async def standing(tmp_path: Path, held: Held) -> AsyncIterator[Standing]:
    """`await standing(**layout)` is the port of a front with a replica for each of two apps."""
    fronts, doors = list[Front](), list[FrontDoor]()

    async def made(host: str = LOOPBACK, **layout: Any) -> int:
        laid = replace(Layout(host, free_port(), (ROOT, STREAMS)), **layout)
        fronts.append(Front(front.program() or "", tmp_path / "front", tmp_path / "front.log", laid))
        fronts[0].start()
        for place in (ROOT, STREAMS):
            doors.append(FrontDoor(app(held), place))
            doors[-1].open(fronts[0].folder)
        return laid.port

    yield made
    held.goes_on.set()
    for each in doors:
        await each.close()
    for each in fronts:
        each.stop()


@asynccontextmanager
async def sending(port: int, content: str, many: int = 1) -> AsyncIterator[list[asyncio.StreamReader]]:
    """So many connections that have sent this and stay."""
    lines = [await asyncio.open_connection(LOOPBACK, port) for _ in range(many)]
    for _, writer in lines:
        writer.write(content.encode("latin-1"))
    try:
        yield [reader for reader, _ in lines]
    finally:
        for _, writer in lines:
            writer.close()


async def heard(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any], bytes]:
    """Status, body and head of one answer."""
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.partition(b":")[2]))
    return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else {}, head


def post(path: str, length: int, more: str = "") -> str:
    return f"POST {path} HTTP/1.1\r\nHost: here\r\n{more}Content-Length: {length}\r\n\r\n"


async def answers(port: int) -> bool:
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False, timeout=20) as http:
        answer = await http.post("/read", content=b"xyz")
    return bool(answer.json() == 3)


async def first_heard(readers: list[asyncio.StreamReader]) -> list["asyncio.Task[tuple[int, dict[str, Any], bytes]]"]:
    """What is heard of each, once the first has something."""
    hearing = [asyncio.create_task(heard(reader)) for reader in readers]
    await asyncio.wait(hearing, return_when=asyncio.FIRST_COMPLETED)
    return hearing


async def test_a_body_that_does_not_come_takes_no_place(standing: Standing):
    port = await standing(request_within_s=5.0)
    async with sending(port, post("/read", 1_000) + "x", many=5 * PLACES) as readers:
        hearing = asyncio.create_task(first_heard(readers))
        await asyncio.sleep(0.5)
        assert await answers(port)
        assert not hearing.done(), "it waited for none of them"
        status, told, head = await (await hearing)[0]
        assert (status, told["status"]) == (422, "error")
        assert b"x-request-id: " in head.lower()


async def test_a_body_that_says_it_is_too_large_is_not_waited_for(standing: Standing):
    port = await standing(body_cap_bytes=1_000)
    async with sending(port, post("/unread", 1_001)) as readers:
        assert (await heard(readers[0]))[0] == 200, "as the app has it"
    async with sending(port, post("/read", 1_000) + "x" * 1_000) as readers:
        assert (await heard(readers[0]))[0] == 200


async def test_whoever_was_answered_before_the_body_had_come_keeps_no_place(standing: Standing):
    port = await standing(body_cap_bytes=20_000_000)
    # More than the front holds, and less than was promised.
    lines = [await asyncio.open_connection(LOOPBACK, port) for _ in range(PLACES)]
    for _, writer in lines:
        writer.write((post("/unread", 10_000_000) + "x" * 100_000).encode())
    for reader, writer in lines:
        assert (await heard(reader))[0] == 200
        async with asyncio.timeout(10):
            while not reader.at_eof():
                writer.write(b"x")
                with suppress(TimeoutError):
                    assert await asyncio.wait_for(reader.read(), 0.2) == b""
    assert await answers(port)
    for _, writer in lines:
        writer.close()


async def test_whoever_sends_much_that_nobody_reads_is_answered_and_may_go_on(standing: Standing):
    port = await standing(body_cap_bytes=1_000)

    async def sends_again_and_again() -> list[int]:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        answered = list[int]()
        for _ in range(20):
            writer.write((post("/unread", 2_000_000) + "x" * 2_000_000).encode())
            answered.append((await heard(reader))[0])
            await writer.drain()
        writer.close()
        return answered

    assert await asyncio.gather(*(sends_again_and_again() for _ in range(PLACES))) == [[200] * 20] * PLACES


async def test_whose_body_came_after_the_answer_is_not_cut_off_by_it(
    standing: Standing, held: Held, monkeypatch: pytest.MonkeyPatch
):
    for each in (body_first, front_words):
        monkeypatch.setattr(each, "_REST_WITHIN_S", 0.2)
    port = await standing(body_cap_bytes=1)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(post("/unread", 10).encode())
    assert (await heard(reader))[0] == 200
    # Not a read, which would be asked again.
    writer.write(b"x" * 10 + post("/slow", 0).encode())
    await held.until(1)
    await asyncio.sleep(0.5)
    held.goes_on.set()
    assert (await heard(reader))[0] == 200
    writer.close()


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param(f"GET /ws/echo HTTP/1.1\r\nHost: here\r\n{WISH}Content-Length: 2\r\n\r\n{{}}", id="with a body"),
        pytest.param(f"GET /ws/echo?{'x' * 9_000} HTTP/1.1\r\nHost: here\r\n{WISH}\r\n", id="with a long address"),
        pytest.param(f"GET /ws/echo HTTP/1.1\r\nHost: here\r\nX: {'x' * 9_000}\r\n{WISH}\r\n", id="with a long header"),
    ],
)
async def test_what_is_no_handshake_is_refused_and_its_server_ends_in_good_order(standing: Standing, wish: str):
    port = await standing()
    async with sending(port, wish, many=PLACES) as readers:
        for reader in readers:
            status, told, _ = await heard(reader)
            assert (status, told["status"]) == (422, "error")
    shaken = f"GET /ws/echo HTTP/1.1\r\nHost: here\r\n{WISH}\r\n"
    async with sending(port, shaken) as readers:
        assert (await readers[0].readuntil(b"\r\n\r\n")).split()[1] == b"101"


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param(post("/ws/echo", 2, WISH) + "{}", id="by a wrong method"),
        pytest.param(f"GET /ws/echo HTTP/1.1\r\nHost: here\r\n{WISH.replace('13', '7')}\r\n", id="an old one"),
    ],
)
async def test_a_wish_that_cannot_be_granted_is_a_request_like_others(standing: Standing, wish: str):
    port = await standing()
    async with sending(port, wish) as readers:
        assert (await heard(readers[0]))[0] == 404


async def test_nobody_gets_a_socket_where_there_are_none(standing: Standing):
    port = await standing()
    async with sending(port, post("/read", 2, WISH) + "{}", many=2 * PLACES) as readers:
        for reader in readers:
            assert (await heard(reader))[0] == 200


async def test_what_uvicorn_cannot_read_is_refused_in_the_contracts_words(standing: Standing):
    port = await standing()
    async with sending(port, "GET no-slash HTTP/1.1\r\nHost: here\r\n\r\n") as readers:
        status, told, head = await heard(readers[0])
        assert (status, told["status"]) == (422, "error")
        assert b"x-request-id: " in head.lower()


async def test_one_address_has_a_part_of_the_places_and_others_have_theirs(standing: Standing, held: Held):
    port = await standing(of_one=2, unbounded=())
    async with sending(port, ASKS_SLOW, many=3) as readers:
        hearing = await first_heard(readers)
        held.goes_on.set()
        all_heard = [await each for each in hearing]
    assert sorted(status for status, _, _ in all_heard) == [200, 200, 429]
    ((_, told, head),) = [each for each in all_heard if each[0] == 429]
    assert told["error"]["code"] == "RATE_LIMITED"
    assert b"retry-after: 1" in head.lower()
    assert await answers(port), "what was answered is not under way any more"


@pytest.mark.parametrize("host", [LOOPBACK, pytest.param("::", id="of both kinds")])
async def test_each_address_is_counted_by_itself(standing: Standing, host: str, held: Held):
    port = await standing(host, of_one=1, unbounded=())
    lines = [
        await asyncio.open_connection(LOOPBACK, port, local_addr=(f"127.0.0.{number}", 0)) for number in (1, 1, 2, 3)
    ]
    for _, writer in lines:
        writer.write(ASKS_SLOW.encode())
    hearing = await first_heard([reader for reader, _ in lines])
    held.goes_on.set()
    answered = [(await each)[0] for each in hearing]
    assert (sorted(answered[:2]), answered[2:]) == ([200, 429], [200, 200])
    for _, writer in lines:
        writer.close()


async def test_an_address_that_has_all_it_may_can_still_stop_everything(standing: Standing, held: Held):
    port = await standing(of_one=2, unbounded=(), spared=["/read"])
    async with sending(port, ASKS_SLOW, many=2):
        await held.until(2)
        assert await answers(port)


async def test_one_address_keeps_so_many_connections(standing: Standing):
    port = await standing(lines_of_one=3, unbounded=())
    async with sending(port, "", many=3) as kept:
        await asyncio.sleep(0.2)
        with suppress(ConnectionResetError):
            async with sending(port, "") as readers, asyncio.timeout(10):
                assert await readers[0].read() == b""
        assert not any(each.at_eof() for each in kept)


async def test_this_machine_and_proxies_that_are_trusted_are_not_counted(standing: Standing, held: Held):
    port = await standing(of_one=1, lines_of_one=1)
    async with sending(port, ASKS_SLOW, many=3) as readers:
        await held.until(3)
        held.goes_on.set()
        assert {(await heard(reader))[0] for reader in readers} == {200}


async def test_nobody_speaks_the_second_http_in_the_open(standing: Standing):
    port = await standing()
    async with sending(port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") as readers:
        assert (await readers[0].read(9)) == b"HTTP/1.1 "
