"""Serves an ASGI application on one socket until it is told to stop; it may close a connection without an answer."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from omc.adapters.coinspot.exchange.delivery import SEVER
from omc.errors import InvalidInput


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it: uvicorn would end the process by the signal itself, as if it had crashed."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()


class _Severable(HttpToolsProtocol):
    """Hands the application its connection's end, beyond what ASGI has."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {SEVER: {"close": self.transport.close}}


def listening(host: str, port: int) -> socket.socket:
    """A bound socket, so that a port in use is known before anything else is done. Port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio looks for it before it turns off Nagle's delay of 40 ms an answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except (OSError, OverflowError) as error:
        bound.close()
        raise InvalidInput(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}") from None
    return bound


async def serve(
    app: ASGIApp, bound: socket.socket, ready: Callable[[str], None], beside: Coroutine[Any, Any, None] | None = None
) -> None:
    """Answer until SIGTERM or SIGINT. `ready` is called with the address once it listens; `beside` runs meanwhile."""
    config = uvicorn.Config(
        app,
        http=_Severable,
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    host, port = bound.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    server = _Server(config, started=lambda: ready(address))

    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    playing = asyncio.create_task(beside) if beside else None
    try:
        await server.serve(sockets=[bound])
    finally:
        if playing:
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await playing
