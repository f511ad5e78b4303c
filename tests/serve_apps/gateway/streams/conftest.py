"""The streams over twins, under a real server on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import uvicorn
import websockets
from websockets.asyncio.client import ClientConnection

from omc.access.signer import Claims
from omc.clock import ManualClock
from omc.errors import Unavailable
from omc.ledger.cadence import Cadence
from omc.market.quote import Quote, QuoteBoard
from omc.risk.kill_switch import MemoryKillSwitch
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import MemoryDeploymentStore
from omc.trading.feed import MemoryFeed
from omc.trading.lease import MemoryLeaseStore
from serve_apps.gateway.streams.app import Streams, build
from serve_apps.gateway.streams.ports import StreamPorts

QUICK = Cadence(every_s=0.001, longest_s=0.01, first_s=0.001)


@dataclass
class MemoryQuoteWatch:
    """A QuoteWatch that shows what it is told to."""

    board: QuoteBoard | None = None
    reachable: bool = True
    asked: int = 0
    _shown: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, board: QuoteBoard) -> None:
        self.board = board
        self._shown.set()
        self._shown = asyncio.Event()

    async def watch(self, shown: Any, timeout_s: float) -> QuoteBoard | None:
        self.asked += 1
        if not self.reachable:
            raise Unavailable("the exchange collector does not answer")
        while self.board is None or self.board.time == shown:
            await self._shown.wait()
        return self.board


class FaultyFeed(MemoryFeed):
    """A feed that fails when it is told to, and counts what it is asked."""

    failing = False
    reads = 0

    async def position(self, user_id: UUID) -> int:
        self._look()
        return await super().position(user_id)

    async def after(self, positions, limit):
        self.reads += 1
        self._look()
        await asyncio.sleep(0)
        return await super().after(positions, limit)

    def _look(self) -> None:
        if self.failing:
            raise Unavailable("the database is away")


@dataclass
class Player:
    """One client, and what it hears."""

    socket: ClientConnection

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            return json.loads(await self.socket.recv())

    async def hear_all(self, messages: int) -> list[dict[str, Any]]:
        return [await self.hear() for _ in range(messages)]

    async def closed(self) -> tuple[int, str]:
        """How the server ended it, once everything before was heard."""
        async with asyncio.timeout(30):
            try:
                while True:
                    await self.socket.recv()
            except websockets.ConnectionClosed as end:
                return (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")


@dataclass
class Served:
    """The streams on a port."""

    ports: StreamPorts
    port: int
    streams: Callable[[], Streams]
    server: uvicorn.Server

    def token(self, user_id: UUID, lasts: timedelta = timedelta(minutes=15)) -> str:
        now = self.ports.clock.now()
        return self.ports.signer.sign(Claims(user_id, uuid4(), now, now + lasts))

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/ws/{path}"

    @asynccontextmanager
    async def open(self, path: str, **arguments: Any) -> AsyncIterator[Player]:
        async with websockets.connect(self.url(path), compression=None, proxy=None, **arguments) as socket:
            yield Player(socket)

    @asynccontextmanager
    async def follow(self, user_id: UUID, path: str = "floor", **first: Any) -> AsyncIterator[Player]:
        """A client that says who it is."""
        async with self.open(path) as player:
            await player.socket.send(json.dumps({"token": self.token(user_id), **first}))
            yield player

    def journal(self, user_id: UUID, kind: str = "breach", times: int = 1, **data: Any) -> None:
        store = self.ports.deployments.journal
        for _ in range(times):
            store.write(user_id, kind, data, at=self.ports.clock.now())


@pytest.fixture
def ports(signer, clock: ManualClock) -> StreamPorts:
    deployments, leases, kill_switch = MemoryDeploymentStore(clock), MemoryLeaseStore(), MemoryKillSwitch(clock.now())
    return StreamPorts(
        feed=FaultyFeed(deployments.journal),
        deployments=deployments,
        blotter=MemoryBlotter(deployments, leases, kill_switch),
        kill_switch=kill_switch,
        hot=MemoryQuoteWatch(),
        signer=signer,
        clock=clock,
        cadence=QUICK,
    )


@pytest.fixture
async def serving(ports: StreamPorts) -> AsyncIterator[Callable[..., Any]]:
    """`await serving(most=3)` serves the streams with that change to their ports."""
    running: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    async def serve(**changes: Any) -> Served:
        built: list[Streams] = []
        ours = replace(ports, **changes)
        app = build(ours, built.append)
        config = uvicorn.Config(
            app, port=0, log_level="critical", timeout_graceful_shutdown=5, ws_max_size=65_536, lifespan="on"
        )
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None
        running.append((server, asyncio.create_task(server.serve())))
        while not server.started:  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.001)
        port = server.servers[0].sockets[0].getsockname()[1]
        return Served(ours, port, lambda: built[0], server)

    yield serve
    for server, task in running:
        server.should_exit = True
        await asyncio.wait_for(task, 30)


@pytest.fixture
async def served(serving) -> Served:
    return await serving()


@pytest.fixture
def board(clock: ManualClock) -> Callable[..., QuoteBoard]:
    """`board(BTC="100", minutes=5)` is a board that shows those prices then."""

    def of(minutes: int = 0, **lasts: str) -> QuoteBoard:
        quotes = {coin: Quote(coin, Decimal(last), Decimal(last), Decimal(last)) for coin, last in lasts.items()}
        return QuoteBoard(clock.now() + timedelta(minutes=minutes), quotes)

    return of
