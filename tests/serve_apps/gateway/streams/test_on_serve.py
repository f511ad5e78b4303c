"""The streams on Ray Serve, behind either front, over PostgreSQL: replicas die, and clients miss nothing."""

import asyncio
import json
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import websockets

from cluster import front
from cluster.draining import before_draining
from cluster.front import Front
from cluster.front_door import FrontDoors
from cluster.front_layout import Behind, Layout
from cluster.ports import LOOPBACK, free_port
from cluster.proxy_door import SOCKETS, keep_frames_small
from omc.access.signer import Claims
from omc.adapters.jwt import JwtSigner
from omc.adapters.key_file import ensure_key
from omc.adapters.postgres import journal
from omc.adapters.postgres.blotter import PostgresBlotter
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.deployments import PostgresDeployments
from omc.adapters.postgres.kill_switch import PostgresKillSwitch
from omc.adapters.postgres.listener import PostgresFeed
from omc.adapters.system_clock import SystemClock
from serve_apps.fronted import Put, nowhere
from serve_apps.gateway.streams import ingress
from serve_apps.gateway.streams.app import PREFIX
from serve_apps.gateway.streams.outbox import BOUNDS, Bounds
from serve_apps.gateway.streams.ports import StreamPorts
from tests.serve_apps.gateway.streams.conftest import Player

pytestmark = [pytest.mark.ray, pytest.mark.postgres]


class NoPrices:
    """A QuoteWatch that nothing is shown to."""

    async def watch(self, shown, timeout_s):
        await asyncio.sleep(timeout_s)


class Platform(ABC):
    """The streams on Serve, at a port."""

    slow_end: frozenset[int]
    """How a client may be ended that read too slowly and reads on at last."""

    def __init__(self, database: Database, folder: Path) -> None:
        ensure_key(folder / "token.key")
        self.database, self.signer = database, JwtSigner(folder / "token.key")
        self.folder, self.port = folder, free_port()

    @abstractmethod
    def start(self) -> None: ...

    def stop(self) -> None:
        from ray import serve

        serve.shutdown()

    def deploy(self, put: Put, bounds: Bounds) -> None:
        from ray import serve

        ports = StreamPorts(
            feed=PostgresFeed(self.database),
            deployments=PostgresDeployments(self.database),
            blotter=PostgresBlotter(self.database),
            kill_switch=PostgresKillSwitch(self.database),
            hot=NoPrices(),
            signer=self.signer,
            clock=SystemClock(),
            bounds=bounds,
        )
        app = ingress.ingress(ports, keep_frames_small, before_draining, put)
        serve.run(app, name="streams", route_prefix=PREFIX)

    def url(self, query: str = "") -> str:
        return f"ws://{LOOPBACK}:{self.port}{PREFIX}/floor{query}"

    def logs(self) -> list[Path]:
        from ray._private import worker

        return [Path(worker.global_worker.node.get_session_dir_path()) / "logs"]

    def token(self, user_id: UUID) -> str:
        now = SystemClock().now()
        return self.signer.sign(Claims(user_id, uuid4(), now, now + timedelta(minutes=15)))

    @asynccontextmanager
    async def follow(self, user_id: UUID, seq: int | None = None, **arguments) -> AsyncIterator[Player]:
        """A client that tries until it is let in."""
        async with asyncio.timeout(60):
            while True:
                try:
                    opened = await websockets.connect(self.url(), compression=None, proxy=None, **arguments)
                    break
                except (OSError, websockets.WebSocketException):
                    await asyncio.sleep(0.05)
        async with opened:
            first = {"token": self.token(user_id)} | ({} if seq is None else {"seq": seq})
            await opened.send(json.dumps(first))
            yield Player(opened)

    async def write(self, user_id: UUID, times: int = 1, **data) -> None:
        for _ in range(times):
            async with self.database.transaction() as connection:
                await journal.write(connection, journal.Line(user_id, "breach", data))

    def replica(self) -> int:
        """The process of the one replica; 0 while there is none."""
        import ray

        named = ray.util.list_named_actors(all_namespaces=True)
        for each in named:
            if each["name"].startswith("SERVE_REPLICA::streams#"):
                with suppress(ray.exceptions.RayError, ValueError):
                    actor = ray.get_actor(each["name"], each["namespace"])
                    return ray.get(actor.__ray_call__.remote(lambda _: os.getpid()), timeout=30)
        return 0


class BehindHAProxy(Platform):
    slow_end = frozenset({4008})

    def start(self) -> None:
        from ray import serve

        behind = (Behind("gateway", ""), Behind("streams", PREFIX, at_once=2_512, sockets=True))
        layout = Layout(LOOPBACK, self.port, behind)
        self._front = Front(front.program() or "", self.folder / "front", self.folder / "front.log", layout)
        self._front.start()
        serve.start(proxy_location="Disabled")
        # Nothing else has the time: it is told so however late it reads on.
        self.deploy(FrontDoors(self._front.folder, behind), Bounds(linger_s=120.0))

    def stop(self) -> None:
        super().stop()
        self._front.stop()

    def logs(self) -> list[Path]:
        return [*super().logs(), self.folder]


class BehindServe(Platform):
    # Its proxy keeps an outbox, too, which has its own patience.
    slow_end = frozenset({4008, 1006})

    def start(self) -> None:
        from ray import serve

        serve.start(http_options={"host": LOOPBACK, "port": self.port})
        self.deploy(nowhere, BOUNDS)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(BehindHAProxy, marks=pytest.mark.skipif(front.program() is None, reason="no HAProxy here")),
        pytest.param(BehindServe, marks=pytest.mark.long),
    ],
    ids=["haproxy", "serve"],
)
async def platform(request, ray_cluster, database, tmp_path_factory) -> AsyncIterator[Platform]:
    it = request.param(database, tmp_path_factory.mktemp("streams"))
    await asyncio.to_thread(it.start)
    yield it
    await asyncio.to_thread(it.stop)


async def test_what_is_committed_is_heard_and_what_was_missed_is_heard_later(platform):
    me = uuid4()
    await platform.write(me, 2)
    async with platform.follow(me) as player:
        snapshot = await player.hear()
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 2)
        await platform.write(me, 3)
        assert [(await player.hear())["seq"] for _ in range(3)] == [3, 4, 5]
    await platform.write(me, 600)
    async with platform.follow(me, seq=4) as player:
        assert (await player.hear())["type"] == "resumed"
        assert [(await player.hear())["seq"] for _ in range(601)] == list(range(5, 606))


async def test_a_wrong_token_is_turned_away_with_its_code(platform):
    async with platform.follow(uuid4()) as player:
        await player.hear()
        await player.socket.send('{"token": "wrong"}')
        assert await player.closed() == (4001, "the access token is not valid")


async def test_clients_of_a_killed_replica_come_back_and_miss_nothing(platform):
    from ray import serve  # noqa: F401 - the cluster's

    me = uuid4()
    heard: list[int] = []
    last: int | None = None

    async def write() -> None:
        for _ in range(60):
            await platform.write(me)
            await asyncio.sleep(0.02)

    async def hear_everything() -> None:
        nonlocal last
        while last is None or last < 60:
            with suppress(websockets.ConnectionClosed):
                async with platform.follow(me, last) as player:
                    beginning = await player.hear()
                    assert beginning["type"] == ("snapshot" if last is None else "resumed")
                    last = beginning["seq"]
                    while last < 60:
                        heard.append((await player.hear())["seq"])
                        last = heard[-1]

    listening = asyncio.create_task(hear_everything())
    async with asyncio.timeout(120):
        while last is None:  # noqa: ASYNC110 - a client tells nobody
            await asyncio.sleep(0.01)
        begun = last
        writing = asyncio.create_task(write())
        for kills in (1, 2):
            while (last or 0) < kills * 8:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while not (victim := await asyncio.to_thread(platform.replica)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            os.kill(victim, signal.SIGKILL)
        await writing
        await listening
    assert heard == list(range(begun + 1, 61))


async def test_a_client_that_does_not_read_is_dropped_and_told_why(platform):
    me = uuid4()
    async with platform.follow(me, max_queue=1) as slow, platform.follow(me) as quick:
        assert (await slow.hear())["type"] == "snapshot"
        assert (await quick.hear())["type"] == "snapshot"
        for written in range(1, 1_201):
            await platform.write(me, reason="x" * 4_000, message="x" * 4_000)
            assert (await quick.hear())["seq"] == written
        assert (await slow.closed())[0] in platform.slow_end
        async with platform.follow(me, seq=1_199) as again:
            assert [(await again.hear())["seq"] for _ in range(2)] == [1_199, 1_200]


async def test_a_frame_too_large_ends_the_connection(platform):
    async with platform.follow(uuid4()) as player:
        await player.hear()
        with suppress(websockets.ConnectionClosed):
            await player.socket.send("x" * (SOCKETS["ws_max_size"] + 1))
        assert (await player.closed())[0] == 1009


async def test_a_token_is_taken_however_it_is_shown(platform):
    me = uuid4()
    token = platform.token(me)
    shown = [{"uri": platform.url(f"?token={token}")}, {"uri": platform.url(), "subprotocols": ["bearer", token]}]
    for each in shown:
        async with websockets.connect(**each, compression=None, proxy=None) as opened:
            assert (await Player(opened).hear())["type"] == "snapshot"
            assert opened.subprotocol == ("bearer" if "subprotocols" in each else None)
            async with asyncio.timeout(30):
                await (await opened.ping())


async def test_a_token_in_an_address_stands_in_no_log(platform):
    token = platform.token(uuid4())
    async with websockets.connect(platform.url(f"?token={token}"), compression=None, proxy=None) as opened:
        assert (await Player(opened).hear())["type"] == "snapshot"
    files = [path for folder in platform.logs() for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if "streams" in path.name]
    secret = token.rsplit(".", 1)[1]
    assert [path.name for path in files if secret in path.read_text(errors="replace")] == []


@pytest.mark.long
async def test_whoever_answers_no_ping_is_taken_for_gone(platform):
    greeting = (
        f"GET {PREFIX}/floor?token={platform.token(uuid4())} HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(LOOPBACK, platform.port)
    writer.write(greeting.encode())
    async with asyncio.timeout(SOCKETS["ws_ping_interval"] + SOCKETS["ws_ping_timeout"] + 30):
        assert (await reader.readuntil(b"\r\n\r\n")).split()[1] == b"101"
        frames = [frame async for frame in _frames(reader)]
    writer.close()
    (text, said), (ping, _), (close, why) = frames
    assert (text, ping, close) == (0x81, 0x89, 0x88)
    assert json.loads(said)["type"] == "snapshot"
    assert int.from_bytes(why[:2]) == 1011


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    """What a server sends, frame by frame, until it ends the connection."""
    while start := await reader.read(2):
        size = start[1]
        if size >= 126:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
        yield start[0], await reader.readexactly(size)


async def test_clients_of_a_replica_that_is_taken_down_are_told_to_come_again(platform):
    from ray import serve

    async with platform.follow(uuid4()) as player:
        await player.hear()
        ending = asyncio.create_task(asyncio.to_thread(serve.delete, "streams"))
        assert (await player.closed())[0] == 1001
        await ending
