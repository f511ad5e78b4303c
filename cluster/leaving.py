"""How a server leaves the front: so that no request of it is lost.

A connection that is closed while nobody uses it may be closed just when the front sends a request on it. Nobody would
answer that, and only a read is asked again. So those in use end with an answer that says so, and the others are cut off
when nobody has used them for a while, at once and only where nothing has come in.
"""

import asyncio
import fcntl
import os
import socket
import termios
import time
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.types import Message, Send

# A connection that the front has not used for so long is not about to be used.
_LAST_USE_S = 1.0
_LOOK_EVERY_S = 0.02


async def leave(server: uvicorn.Server, patience_s: float) -> None:
    """Return when nobody is connected any more, or after `patience_s`. Whatever is answered meanwhile is to be answered
    through `last`."""
    if not server.started:
        return
    for each in server.servers:
        each.close()
    began, told = time.monotonic(), set()
    while (left := list(server.server_state.connections)) and time.monotonic() - began < patience_s:
        for connection in left:
            if not hasattr(connection, "cycle"):
                # A WebSocket, whose client is told to come again.
                if connection not in told:
                    connection.shutdown()
                    told.add(connection)
            elif time.monotonic() - began > _LAST_USE_S and _idle(connection):
                _cut_off(connection.transport)
        await asyncio.sleep(_LOOK_EVERY_S)


def last(send: Send) -> Send:
    """`send` for an answer that says that it is its connection's last."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return sent


def _idle(connection: Any) -> bool:
    return connection.cycle is None or connection.cycle.response_complete


def _cut_off(transport: asyncio.Transport) -> None:
    """Have the front know at once that nothing more is read there, unless something is yet to be read. A transport that
    is closed takes a turn of the event loop for it."""
    with suppress(OSError), socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as ours:
        if int.from_bytes(fcntl.ioctl(ours, termios.FIONREAD, bytes(4)), "little") == 0:
            ours.shutdown(socket.SHUT_RDWR)
            transport.close()
