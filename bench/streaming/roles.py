"""The processes of the benchmark of streams beside its own: servers and clients."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import uvicorn

from bench.streaming.sockets import Crowd, Socket
from cluster.proxy_door import SOCKETS
from omc.access.signer import Claims
from omc.adapters.jwt import JwtSigner
from omc.adapters.postgres.blotter import PostgresBlotter
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.deployments import PostgresDeployments
from omc.adapters.postgres.kill_switch import PostgresKillSwitch
from omc.adapters.postgres.listener import PostgresFeed
from omc.adapters.system_clock import SystemClock
from omc.market.quote import QuoteBoard
from serve_apps.gateway.streams import pauses
from serve_apps.gateway.streams.app import build
from serve_apps.gateway.streams.ports import StreamPorts


class NoPrices:
    """A QuoteWatch that nothing is shown to."""

    async def watch(self, shown: Any, timeout_s: float) -> QuoteBoard | None:
        await asyncio.sleep(timeout_s)
        return None


def ports(dsn_file: Path, key_file: Path, most: int) -> StreamPorts:
    database = Database(dsn_file)
    return StreamPorts(
        feed=PostgresFeed(database),
        deployments=PostgresDeployments(database),
        blotter=PostgresBlotter(database),
        kill_switch=PostgresKillSwitch(database),
        hot=NoPrices(),
        signer=JwtSigner(key_file),
        clock=SystemClock(),
        most=most,
        most_of_one=most,
    )


def account(number: int) -> UUID:
    """The account of a client."""
    return UUID(int=(0xB << 120) + number)


def serve(app: Any) -> None:
    """On a port of its own, which it says."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        sys.stdout.write(f"{bound.getsockname()[1]}\n")
        sys.stdout.flush()
        bound.listen(2_048)
        uvicorn.Server(uvicorn.Config(app, log_level="critical", backlog=2_048, **SOCKETS)).run(sockets=[bound])


def server(dsn_file: str, key_file: str, most: str) -> None:
    """The streams' app, as a replica runs it, under uvicorn."""
    serve(build(ports(Path(dsn_file), Path(key_file), int(most)), started=pauses.shorten))


def echo() -> None:
    """As plain as it can be: whatever one client says is sent to all, one after the other."""
    sends: list[Callable[[Any], Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        sends.append(send)
        await send({"type": "websocket.send", "text": '{"type":"snapshot","seq":0,"data":{}}'})
        while (message := await receive())["type"] == "websocket.receive":
            # A client's first message is its token, which concerns nobody else.
            for each in sends if '"seq"' in message["text"] else ():
                await each({"type": "websocket.send", "text": message["text"]})
        sends.remove(send)

    serve(app)


def clients(port: str, count: str, accounts: str, key_file: str) -> None:
    """Connect, say so, read until told to stop, and say who heard what when."""
    signer, crowd = JwtSigner(Path(key_file)), Crowd()
    now = SystemClock().now()
    for number in range(int(count)):
        claims = Claims(account(number % int(accounts)), uuid4(), now, now + timedelta(hours=1))
        first = json.dumps({"token": signer.sign(claims)}).encode()
        crowd.add(Socket.to(number, int(port), "/api/v1/ws/floor", first))
        if number % 50 == 49:
            crowd.until(1, 60)
    if not crowd.until(1, 120):
        raise SystemExit("not everybody was let in")
    for one in crowd.sockets:
        one.heard.clear()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    os.set_blocking(sys.stdin.fileno(), False)
    while not sys.stdin.buffer.read(1):
        crowd.read(0.02)
    heard = [[one.number, at, seq] for one in crowd.sockets for at, seq in one.heard]
    closed = [one.closed for one in crowd.sockets if one.closed]
    sys.stdout.write(json.dumps({"heard": heard, "closed": closed}) + "\n")
