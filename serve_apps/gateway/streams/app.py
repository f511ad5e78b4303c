"""The streams: `/api/v1/ws/floor`, `/api/v1/ws/prices` and `/api/v1/ws/catalyst`.

An app of its own rather than a part of the gateway: connections stay for hours, and thousands of them must not take the
places of requests, or hold up a log-in while they are all told something.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from omc.access.asker import Askers
from serve_apps import door, openapi
from serve_apps.caller import caller
from serve_apps.gateway.streams import outbox as codes
from serve_apps.gateway.streams.catalyst_stream import CatalystStream
from serve_apps.gateway.streams.floor_stream import FloorStream
from serve_apps.gateway.streams.outbox import Outbox
from serve_apps.gateway.streams.places import Places
from serve_apps.gateway.streams.ports import StreamPorts
from serve_apps.gateway.streams.price_stream import PriceStream
from serve_apps.gateway.streams.snapshot import Snapshots
from serve_apps.gateway.streams.visit import Visit, visit
from serve_apps.limits import Limiter
from serve_apps.revoked import Revoked
from serve_apps.turnstile import Admission

PREFIX = "/api/v1/ws"
_log = logging.getLogger("omc.streams")


class Streams:
    """ASGI middleware: WebSockets are its own, everything else is the app's. What it runs on, it starts when the first
    client comes; `close` tells everybody to come again."""

    def __init__(self, app: ASGIApp, ports: StreamPorts, started: Callable[[], None] = lambda: None) -> None:
        self._app, self._ports, self._started = app, ports, started
        self._places = Places(ports.most, ports.most_of_one)
        self._askers = Askers(ports.signer, ports.clock, ports.tokens, Revoked(ports.revocations))
        limits = ports.rules.limits
        self._limiter = None if limits is None else Limiter(limits.store)
        self._visits: set[Outbox] = set()
        self._running: list[asyncio.Task[None]] = []
        self._streams: Mapping[str, FloorStream | PriceStream | CatalystStream] = {}
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        self._start()
        outbox = Outbox(send, self._ports.bounds)
        stream = self._streams.get(_name(scope))
        self._visits.add(outbox)
        try:
            if self._closing:
                outbox.accept(None)
                outbox.close(codes.GOING_AWAY, "the platform stops")
            admission = self._admission(scope)
            await visit(Visit(self._ports, self._askers, self._places, stream, scope, receive, outbox, admission), send)
        finally:
            self._visits.discard(outbox)

    def _admission(self, scope: Scope) -> Admission | None:
        """A connection is limited as a request is: it costs no less. None where nothing is."""
        rules = self._ports.rules
        if rules.limits is None or self._limiter is None:
            return None
        return Admission(rules.limits, self._limiter, caller(scope, rules.proxies), stops=False)

    def close(self) -> None:
        """Tell every client to come again, elsewhere or later."""
        self._closing = True
        for outbox in self._visits:
            outbox.close(codes.GOING_AWAY, "the platform stops, or this replica is replaced")

    def close_soon(self) -> None:
        """The same, from any thread; a replica that nobody has come to has nobody to tell."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.close)

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._visits)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self) -> None:
        if self._running:
            return
        self._loop = asyncio.get_running_loop()
        ports = self._ports
        snapshots = Snapshots(ports.feed, ports.deployments, ports.blotter, ports.kill_switch, ports.clock)
        self._streams = {
            "floor": FloorStream(ports.feed, snapshots, ports.clock, ports.cadence),
            "prices": PriceStream(ports.hot, ports.clock, ports.cadence),
            "catalyst": CatalystStream(ports.catalysts, ports.clock, ports.cadence),
        }
        self._started()
        self._running = [asyncio.create_task(self._kept(each.run, name)) for name, each in self._streams.items()]

    async def _kept(self, run: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """A stream runs for as long as the replica, whatever happens to it."""
        failures = 0
        while True:
            try:
                await run()
            except Exception:
                failures += 1
                _log.exception("the stream %s failed", name)
            await asyncio.sleep(self._ports.cadence.pause_s(failures))


def build(
    ports: StreamPorts, built: Callable[[Streams], None] = lambda _: None, started: Callable[[], None] = lambda: None
) -> FastAPI:
    """The app over its ports; `built` is handed its sockets when it begins to serve, `started` is called when the first
    client comes."""
    app = FastAPI(
        title="Oh My Coins: streams",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses=openapi.FAILURES,
    )
    door.install(app, ports.rules)

    def sockets(inner: ASGIApp) -> Streams:
        streams = Streams(inner, ports, started)
        built(streams)
        return streams

    app.add_middleware(sockets)
    return app


def _name(scope: Scope) -> str:
    """Which stream a path names, whether or not it is told of the prefix that it is served under."""
    path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
    return path.removeprefix(PREFIX).removeprefix("/")
