"""A server that leaves, and those who are connected to it."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
import websockets
from starlette.types import Receive, Scope, Send

from cluster import leaving
from cluster.front_words import PlainHttp
from cluster.leaving import last, leave
from cluster.ports import LOOPBACK
from cluster.proxy_door import SOCKETS

ASKED = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
FOR_EVER_S = 600.0


class Serving:
    """A server whose every answer is held back while it is told to."""

    def __init__(self) -> None:
        self.goes_on, self.asked = asyncio.Event(), 0
        self.goes_on.set()
        ours = {"http": PlainHttp, **SOCKETS}
        self.server = uvicorn.Server(
            uvicorn.Config(self, lifespan="off", log_config=None, timeout_keep_alive=600, **ours)
        )
        self.listening = socket.create_server((LOOPBACK, 0))
        self.address = self.listening.getsockname()
        self.is_leaving = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
            return
        self.asked += 1
        await self.goes_on.wait()
        told = last(send) if self.is_leaving else send
        await told({"type": "http.response.start", "status": 204, "headers": []})
        await told({"type": "http.response.body"})

    def leave(self) -> "asyncio.Task[None]":
        self.is_leaving = True
        return asyncio.create_task(leave(self.server, FOR_EVER_S))

    @property
    def transport(self) -> asyncio.Transport:
        """Of the only connection."""
        (connection,) = self.server.server_state.connections
        return connection.transport


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    it = Serving()
    it.server.install_signal_handlers = lambda: None
    task = asyncio.create_task(it.server.serve([it.listening]))
    while not it.server.started:  # noqa: ASYNC110 - a server tells nobody
        await asyncio.sleep(0.001)
    yield it
    it.server.should_exit = True
    await task


@pytest.fixture
async def client(serving) -> AsyncIterator[socket.socket]:
    """Somebody who was answered once, and stayed."""
    with socket.socket() as ours:
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(ours, serving.address)
        ours.send(ASKED)
        assert b"connection" not in await loop.sock_recv(ours, 4_096)
        yield ours


async def heard(client: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(client, 4_096)


async def test_whoever_asks_nothing_is_cut_off_after_a_while(serving, client):
    await serving.leave()
    assert await heard(client) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(serving.address)


async def test_whoever_asks_meanwhile_is_answered_and_told_that_it_was_the_last_time(serving, client):
    ending = serving.leave()
    await asyncio.sleep(0)
    client.send(ASKED)
    answer = await heard(client)
    assert answer.startswith(b"HTTP/1.1 204")
    assert b"connection: close" in answer
    assert await heard(client) == b""
    await ending


async def kept_waiting(serving: Serving, client: socket.socket) -> None:
    """It has asked, and is not answered before `goes_on` is set."""
    serving.goes_on.clear()
    client.send(ASKED)
    while serving.asked < 2:  # noqa: ASYNC110 - a server tells nobody
        await asyncio.sleep(0.001)


async def test_what_is_under_way_is_waited_for(serving, client):
    await kept_waiting(serving, client)
    ending = serving.leave()
    await asyncio.sleep(leaving._LAST_USE_S + 5 * leaving._LOOK_EVERY_S)
    assert not ending.done()
    serving.goes_on.set()
    assert (await heard(client)).startswith(b"HTTP/1.1 204")
    await ending


async def test_nobody_is_waited_for_longer_than_one_has_patience(serving, client):
    await kept_waiting(serving, client)
    await leave(serving.server, 0.1)
    serving.goes_on.set()
    assert (await heard(client)).startswith(b"HTTP/1.1 204")


async def test_a_connection_with_something_unread_is_not_cut_off(serving, client):
    # The event loop has no turn in between.
    client.send(ASKED)
    leaving._cut_off(serving.transport)
    assert (await heard(client)).startswith(b"HTTP/1.1 204")
    leaving._cut_off(serving.transport)
    assert client.recv(4_096) == b"", "known at once"


async def test_a_websocket_is_told_to_come_again(serving):
    host, port = serving.address
    async with websockets.connect(f"ws://{host}:{port}", proxy=None) as opened:
        await serving.leave()
        await opened.wait_closed()
        assert opened.close_code == 1012
