"""A line to an exchange in the same process: no sockets, and the same ways to end as a real one has."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message

from omc.adapters.coinspot.exchange.delivery import SEVER
from omc.adapters.coinspot.holdoff import asked_pause_s
from omc.adapters.coinspot.line import Reply
from omc.errors import OutcomeUnknown


class InProcessLine:
    """A Channel. Whoever waits no longer than `timeout_s` leaves, and what it asked for goes on without it."""

    def __init__(self, app: ASGIApp, timeout_s: float = 10.0, base_url: str = "http://in-process") -> None:
        self.base_url = base_url
        self.timeout_s = timeout_s
        self._app = app
        self._under_way: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"InProcessLine({self.base_url!r})"

    async def send(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer, whatever it says. OutcomeUnknown when none came."""
        exchange = _Exchange(method, path, content or b"", headers or {})
        task = asyncio.ensure_future(exchange.run(self._app))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.wait_for(asyncio.shield(exchange.reply), self.timeout_s)
        except TimeoutError:
            raise OutcomeUnknown(f"{self.base_url}{path} gave no answer (timeout)") from None
        except ConnectionError:
            raise OutcomeUnknown(f"{self.base_url}{path} gave no answer (closed)") from None
        finally:
            exchange.left.set()

    async def close(self) -> None:
        """There is nothing to close."""


class _Exchange:
    """One request and its answer."""

    def __init__(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> None:
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.left = asyncio.Event()
        self._content: bytes | None = content
        self._status, self._headers, self._body = 0, dict[str, str](), b""
        where, _, query = path.partition("?")
        self._scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": where,
            "query_string": query.encode(),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("in-process", 0),
            "extensions": {SEVER: {"close": self._close}},
        }

    async def run(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self._receive, self._send)
        except Exception as bug:
            # Not one of the faults that a line may have: whoever asked shall see it.
            self._fail(bug)
        finally:
            self._close()

    async def _receive(self) -> Message:
        if self._content is not None:
            content, self._content = self._content, None
            return {"type": "http.request", "body": content, "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            return
        self._body += message.get("body", b"")
        if not message.get("more_body") and not self.reply.done():
            self.reply.set_result(Reply(self._status, self._body, asked_pause_s(self._headers)))

    def _close(self) -> None:
        self.left.set()
        self._fail(ConnectionResetError("closed without a whole answer"))

    def _fail(self, why: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(why)
            # Whoever left does not look at it.
            self.reply.exception()
