"""A replica's app on the front's socket: requests come to it without passing through Ray.

Ray starts, watches and replaces the replica as it would otherwise.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cluster.body_first import body_first
from cluster.front_layout import PEER, Behind
from cluster.front_sockets import handed_out
from cluster.front_words import PlainHttp
from cluster.leaving import last, leave
from cluster.proxy_door import SOCKETS

_PEER = PEER.encode()
# Longer than the front keeps a connection that nobody uses: none is closed here as a request is sent on it.
_IDLE_S = 600
_LET_FINISH_S, _CUT_OFF_S = 20, 1


@dataclass(frozen=True, slots=True)
class FrontDoors:
    """A Put: apps that are put here are served on the front's sockets in `folder`."""

    folder: Path
    behind: tuple[Behind, ...]

    def __call__(self, app: FastAPI, prefix: str) -> None:
        place = next(each for each in self.behind if each.prefix == prefix)
        app.add_middleware(_Opening, folder=self.folder, place=place)


class _Opening:
    """ASGI middleware that opens the door once the app has started, and closes it before the app ends."""

    def __init__(self, app: ASGIApp, folder: Path, place: Behind) -> None:
        self._app, self._folder, self._place = app, folder, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        door = FrontDoor(scope["app"], self._place)

        async def heard() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await door.close()
            return message

        async def told(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                door.open(self._folder)
            await send(message)

        await self._app(scope, heard, told)


class FrontDoor:
    """An app that is served on one of the front's sockets."""

    def __init__(self, app: ASGIApp, place: Behind) -> None:
        self._place = place
        self._task: asyncio.Task[None] | None = None
        self._leaving = False
        self._server = _Server(
            uvicorn.Config(
                from_the_front(body_first(app), place.prefix, lambda: self._leaving),
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_IDLE_S,
                timeout_graceful_shutdown=_CUT_OFF_S,
                http=PlainHttp,
                **SOCKETS,
            )
        )

    def open(self, folder: Path) -> None:
        """Serve in the running event loop. Unavailable when there is no such socket."""
        listening = handed_out(folder, self._place.name)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))

    async def close(self) -> None:
        """Let nobody in any more, and requests under way finish."""
        if self._task is None:
            return
        self._leaving = True
        await leave(self._server, _LET_FINISH_S)
        self._server.should_exit = True
        await self._task


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for Ray."""
        yield


def from_the_front(app: ASGIApp, prefix: str, leaving: Callable[[], bool] = lambda: False) -> ASGIApp:
    """`app` as if its callers had connected to it, mounted at `prefix` as Serve would have it. While it is `leaving`,
    every answer is its connection's last."""

    async def fronted(scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        # The server's own, and no copy: what an app takes out of it shows in no line of the server's log.
        inner: Any = scope
        inner["root_path"] = prefix
        peer = next((value for name, value in headers if name == _PEER), None)
        if peer is not None:
            host, _, port = peer.decode("ascii").rpartition(":")
            inner["client"] = (host, int(port))
            inner["headers"] = [pair for pair in headers if pair[0] != _PEER]
        await app(inner, receive, last(send) if leaving() and scope["type"] == "http" else send)

    return fronted
