"""The streams behind the front, over twins: HAProxy and an app on its sockets, as in a platform but without Ray."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import websockets
from fastapi import FastAPI

from cluster import front
from cluster.front import Front
from cluster.front_door import FrontDoors
from cluster.front_layout import Behind, Layout
from cluster.ports import LOOPBACK, free_port
from cluster.proxy_door import SOCKETS
from omc.access.signer import Claims
from serve_apps.gateway.streams.app import PREFIX, Streams, build
from serve_apps.gateway.streams.ports import StreamPorts
from tests.serve_apps.gateway.streams.conftest import Player

pytestmark = pytest.mark.skipif(front.program() is None, reason="HAProxy does not come with Ray here")

BEHIND = (Behind("gateway", ""), Behind("streams", PREFIX, at_once=2_512, sockets=True))
Replica = Callable[[], Awaitable[tuple[Streams, Callable[[], Awaitable[None]]]]]


@pytest.fixture
def standing(tmp_path: Path):
    it = Front(front.program() or "", tmp_path / "front", tmp_path / "front.log", Layout(LOOPBACK, free_port(), BEHIND))
    it.start()
    yield it
    it.stop()


@pytest.fixture
async def replica(ports: StreamPorts, standing: Front) -> AsyncIterator[Replica]:
    """`await replica()` has one more, and is its streams and what ends it."""
    ends = []

    async def one_more():
        built: list[Streams] = []
        app = build(ports, built.append)
        FrontDoors(standing.folder, BEHIND)(app, PREFIX)
        end = await _live(app)
        ends.append(end)
        return built[0], end

    yield one_more
    for end in ends:
        await end()


async def _live(app: FastAPI) -> Callable[[], Awaitable[None]]:
    """Start an app as a server would; ends it when called."""
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    started = asyncio.Event()

    async def send(_) -> None:
        started.set()

    living = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, told.get, send))
    await told.put({"type": "lifespan.startup"})
    await started.wait()

    async def end() -> None:
        await told.put({"type": "lifespan.shutdown"})
        await living

    return end


@pytest.fixture
def follow(ports: StreamPorts, standing: Front):
    """`async with follow(user_id)` is a client that has said who it is."""

    @asynccontextmanager
    async def following(user_id: UUID, **arguments) -> AsyncIterator[Player]:
        now = ports.clock.now()
        token = ports.signer.sign(Claims(user_id, uuid4(), now, now + timedelta(minutes=15)))
        url = f"ws://{LOOPBACK}:{standing.layout.port}{PREFIX}/floor"
        options = {"compression": None, "proxy": None, "open_timeout": 120, "ping_interval": None, **arguments}
        async with websockets.connect(url, **options) as socket:
            await socket.send(json.dumps({"token": token}))
            yield Player(socket)

    return following


async def test_more_than_a_thousand_are_told_and_told_to_come_again(ports, replica, follow):
    streams, _ = await replica()
    everybody = [uuid4() for _ in range(1_100)]
    begun, joined = asyncio.Semaphore(64), 0
    all_joined = asyncio.Event()

    async def one(user_id: UUID) -> tuple[int, int, int]:
        nonlocal joined
        await begun.acquire()
        async with follow(user_id) as player:
            snapshot = await player.hear()
            begun.release()
            joined += 1
            if joined == len(everybody):
                all_joined.set()
            async with asyncio.timeout(300):
                heard = json.loads(await player.socket.recv())
                with suppress(websockets.ConnectionClosed):
                    await player.socket.recv()
                await player.socket.wait_closed()
            return snapshot["seq"], heard["seq"], player.socket.close_code

    clients = [asyncio.create_task(one(user_id)) for user_id in everybody]
    async with asyncio.timeout(300):
        await all_joined.wait()
    assert streams.open == len(everybody)
    for user_id in everybody:
        ports.deployments.journal.write(user_id, "breach", {}, at=ports.clock.now())
    # As a replica is told that it is to stop, in another thread than its own.
    while streams.open and not all(client.done() for client in clients):
        await asyncio.sleep(2.0)
        await asyncio.to_thread(streams.close_soon)
    assert set(await asyncio.gather(*clients)) == {(0, 1, 1001)}


async def test_clients_of_a_replica_that_ends_are_taken_by_the_next(ports, replica, follow):
    me = uuid4()
    _, end = await replica()
    async with follow(me) as player:
        assert (await player.hear())["seq"] == 0
        _, _ = await replica()
        await end()
        assert (await player.closed())[0] in (1001, 1012)
    ports.deployments.journal.write(me, "breach", {}, at=ports.clock.now())
    async with follow(me) as player:
        assert (await player.hear())["seq"] == 1


async def test_a_frame_too_large_ends_the_connection_and_a_ping_is_answered(replica, follow):
    await replica()
    async with follow(uuid4()) as player:
        await player.hear()
        async with asyncio.timeout(60):
            await (await player.socket.ping())
        with suppress(websockets.ConnectionClosed):
            await player.socket.send("x" * (SOCKETS["ws_max_size"] + 1))
        assert (await player.closed())[0] == 1009


async def test_a_token_in_an_address_stands_in_no_log(ports, replica, standing, caplog):
    await replica()
    now = ports.clock.now()
    token = ports.signer.sign(Claims(uuid4(), uuid4(), now, now + timedelta(minutes=15)))
    with caplog.at_level(logging.INFO, "uvicorn.error"):
        url = f"ws://{LOOPBACK}:{standing.layout.port}{PREFIX}/floor?token={token}"
        async with websockets.connect(url, compression=None, proxy=None, open_timeout=120) as socket:
            await Player(socket).hear()
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith("websockets")]
    assert any("accepted" in each for each in ours)
    assert not any(token in each for each in ours)
    assert token not in standing.log.read_text()
