"""What waits to be sent to one client: a bounded queue between whoever has something to say and a socket.

Nobody waits for a client. One that lets more wait than its outbox holds is told so with a close code and forgotten, and
whatever it has missed it can ask for again. Where Ray Serve's proxy stands between, the proxy keeps such a queue, too:
between proxy and replica nothing else would be bounded.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

GOING_AWAY, INTERNAL, TRY_LATER = 1001, 1011, 1013
UNAUTHENTICATED, SLOW, BAD_MESSAGE, NO_SUCH_STREAM, TOO_MANY = 4001, 4008, 4400, 4404, 4429


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait for a client. A single message goes whatever its size."""

    bytes: int = 524_288
    messages: int = 4_096
    linger_s: float = 5.0
    """How long a client that is told to go has to take what it was told."""
    patience_s: float = 30.0
    """How long a client that catches up may take nothing."""


BOUNDS = Bounds()


class Outbox:
    """Messages to one client, in order. `run` sends them; everything else returns at once."""

    def __init__(self, send: Send, bounds: Bounds = BOUNDS) -> None:
        self._send, self._bounds = send, bounds
        self._waiting: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._more: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._last: asyncio.TimerHandle | None = None
        self.severed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the client was told to go and did not take it in time."""
        self.closing = False
        """Whether the client was told to go: what is put in from now on is dropped."""

    @property
    def waiting_bytes(self) -> int:
        return self._bytes

    @property
    def linger_s(self) -> float:
        return self._bounds.linger_s

    def accept(self, subprotocol: str | None) -> None:
        self.put({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []}, 0)

    def say(self, text: str) -> None:
        """Send a message of ours, which is ASCII."""
        self.put({"type": "websocket.send", "text": text}, len(text))

    def put(self, message: Message, size: int) -> None:
        """Send any ASGI message; a client for whom too much waits already is closed instead."""
        if self.closing:
            return
        full = self._bytes + size > self._bounds.bytes or len(self._waiting) >= self._bounds.messages
        if full and self._waiting:
            self.close(SLOW, "you read more slowly than there is something to say")
            return
        self._enqueue(message, size)

    def close(self, code: int, reason: str) -> None:
        """Tell the client to go; one that is slow is told so instead of all that waits. One that does not take it in
        time is cut off."""
        if self.closing:
            return
        self.closing = True
        if code == SLOW:
            # What was accepted must be said before anything can be closed.
            kept = [each for each in self._waiting if each[0]["type"] == "websocket.accept"]
            self._waiting = deque(kept)
            self._bytes = 0
        self._enqueue({"type": "websocket.close", "code": code, "reason": reason}, 0)
        self._last = asyncio.get_running_loop().call_later(self._bounds.linger_s, self._sever)

    def swamped(self, size: int, messages: int, *, at_once: bool) -> bool:
        """Whether so much more, that came in together, is too much for anybody who reads at once; `at_once` when no
        more follows behind it. What is no more than usual is not: whoever has no room for that is slow."""
        bounds = self._bounds
        usual = at_once and size * 2 <= bounds.bytes and messages * 2 <= bounds.messages
        return not usual and not self._half_holds(size, messages)

    async def room(self, size: int) -> None:
        """Wait until half of what may wait has room for a message of that size, or the client was told to go: so is one
        that takes nothing for too long."""
        while self._waiting and not self._half_holds(size, 1) and not self.closing:
            self._room = asyncio.get_running_loop().create_future()
            try:
                await asyncio.wait_for(self._room, self._bounds.patience_s)
            except TimeoutError:
                self.close(SLOW, "you take nothing of what there is to say")

    def _half_holds(self, size: int, messages: int) -> bool:
        bounds = self._bounds
        return (self._bytes + size) * 2 <= bounds.bytes and (len(self._waiting) + messages) * 2 <= bounds.messages

    async def run(self) -> None:
        """Send what is put in until the closing is sent, or the client is gone."""
        try:
            while True:
                while self._waiting:
                    message, size = self._waiting.popleft()
                    await self._send(message)
                    self._bytes = max(0, self._bytes - size)
                    self._let_in()
                    if message["type"] == "websocket.close":
                        return
                self._more = asyncio.get_running_loop().create_future()
                await self._more
        finally:
            self.closing = True
            self._waiting.clear()
            self._let_in()
            if self._last is not None:
                self._last.cancel()

    def _enqueue(self, message: Message, size: int) -> None:
        self._waiting.append((message, size))
        self._bytes += size
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def _sever(self) -> None:
        if not self.severed.done():
            self.severed.set_result(None)

    def _let_in(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)


def cut(send: Send) -> None:
    """End a connection whose peer does not read. The server itself would wait until the peer has taken what is in the
    socket's buffer, which it may never do; a server that shows no transport is left to its own patience."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()


class BoundedSockets:
    """ASGI middleware: every WebSocket of `app` gets an outbox. To stand next to the sockets."""

    def __init__(self, app: ASGIApp, bounds: Bounds = BOUNDS) -> None:
        self._app, self._bounds = app, bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        outbox = Outbox(send, self._bounds)

        async def bounded(message: Message) -> None:
            if message["type"] == "websocket.close":
                outbox.close(message.get("code", 1000), message.get("reason") or "")
            else:
                outbox.put(message, len(message.get("text") or message.get("bytes") or b""))

        await beside(outbox, self._app(scope, receive, bounded), send)


async def beside(outbox: Outbox, work: Awaitable[None], send: Send) -> None:
    """Run `work` while its outbox is sent, and see the client off: what it was told last is sent, or it is cut off."""
    sending, working = asyncio.create_task(outbox.run()), asyncio.ensure_future(work)
    try:
        await asyncio.wait((sending, working, outbox.severed), return_when=asyncio.FIRST_COMPLETED)
        if working.done() and outbox.closing:
            await asyncio.wait((sending, outbox.severed), return_when=asyncio.FIRST_COMPLETED)
        elif sending.done():
            # The client was told to go, or has gone: the work hears of it by what it receives.
            await asyncio.wait((working,), timeout=outbox.linger_s)
        if outbox.severed.done():
            cut(send)
    finally:
        outbox.severed.cancel()
        sending.cancel()
        working.cancel()
        _, failed = await asyncio.gather(sending, working, return_exceptions=True)
    if isinstance(failed, Exception):
        raise failed
