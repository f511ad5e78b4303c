"""What stands between sockets and Ray Serve's proxy.

The proxy hands a WebSocket's messages on as they come, and keeps what its client does not take. It reads frames of
16 MB, and a client of ours never has more to say than a token. Ray calls `guards` in each proxy before it listens,
because `CALLBACK` is in its environment.
"""

from functools import partial
from typing import Any

from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cluster.front_layout import STEERING
from cluster.front_words import PlainSockets
from serve_apps import problem
from serve_apps.gateway.streams.outbox import BoundedSockets

CALLBACK = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "cluster.proxy_door.guards"}
SOCKETS: dict[str, Any] = {
    "ws": PlainSockets,
    "ws_max_size": 65_536,
    "ws_ping_interval": 30.0,
    "ws_ping_timeout": 30.0,
    # What is compressed for each client costs each client memory and time.
    "ws_per_message_deflate": False,
}


def guards() -> list[Middleware]:
    """The proxy's own middleware, first the outermost."""
    keep_frames_small()
    return [Middleware(BoundedSockets), Middleware(PlainDoor)]


class PlainDoor:
    """Drops what would steer the proxy before it reads that, and says what the proxy refuses in the contract's words:
    nothing of ours is text that somebody could mistake for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        inner = {**scope, "headers": [pair for pair in scope["headers"] if pair[0].decode("latin-1") not in STEERING]}
        if scope["type"] == "websocket":
            await self._app(inner, receive, send)
            return
        refused = False

        async def in_our_words(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = dict(message["headers"])
                refused = headers.get(b"content-type", b"").startswith(b"text/plain")
                if refused:
                    answer = _in_our_words(message["status"])
                    await answer(scope, receive, send)
            if not refused:
                await send(message)

        await self._app(inner, receive, in_our_words)


def _in_our_words(status: int) -> Response:
    match status:
        # One app takes every path that no other does: where the proxy knows of none, that one is not there, or not yet.
        case 404 | 408 | 429 | 503:
            return problem.answer("UNAVAILABLE", 503, "nobody is there to answer this, or everybody is busy")
        case _:
            return problem.internal()


def keep_frames_small() -> None:
    """Have every server that Serve starts in this process treat WebSockets as `SOCKETS` says."""
    from ray.serve._private import http_util

    module: Any = http_util
    server = module.uvicorn
    if not isinstance(server.Config, partial):
        # Whom a proxy speaks for is for the apps to believe, or not.
        server.Config = partial(server.Config, **SOCKETS, proxy_headers=False)
