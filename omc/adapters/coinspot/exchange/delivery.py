"""How an answer gets to whoever asked, or does not: late, in half, or never.

A server that lets an application close its connection says so by the extension `SEVER` in the request's scope, whose
"close" does it. Whoever calls the application without one is told by ConnectionAbortedError.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from starlette.types import Receive, Scope, Send

from omc.adapters.coinspot.exchange.answer import NOT_FOUND, Answer, answered, refused
from omc.adapters.coinspot.exchange.faults import Fault, FaultKind
from omc.adapters.coinspot.exchange.plan import Spans

SEVER: Final = "omc.sever"
_PAGES: Final = {
    500: b"<html><body><h1>500 Internal Server Error</h1></body></html>",
    502: b"<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>",
    503: b"<html><head><title>We will be back soon</title></head><body>Scheduled maintenance</body></html>",
    504: b"<html><head><title>504 Gateway Time-out</title></head><body>cloudflare</body></html>",
    200: b"<!doctype html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>",
}
_HTML: Final = b"text/html; charset=utf-8"
_ERRORS: Final = (500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Connection:
    """One request's connection."""

    scope: Scope
    receive: Receive
    send_message: Send

    async def send(self, answer: Answer) -> None:
        await self._begin(answer)
        await self.send_message({"type": "http.response.body", "body": answer.content})

    async def send_half(self, answer: Answer) -> None:
        """Close it in the middle of an answer."""
        await self._begin(answer)
        await self.send_message({"type": "http.response.body", "body": _half(answer).content, "more_body": True})
        await self.close()

    async def stay_silent(self, span_s: float) -> None:
        """Say nothing, and close it when whoever waits has done so for `span_s`, or left."""
        try:
            await asyncio.wait_for(self._left(), span_s)
        except TimeoutError:
            await self.close()

    async def close(self) -> None:
        sever = self.scope.get("extensions", {}).get(SEVER)
        if sever is None:
            raise ConnectionAbortedError("the connection was closed without an answer")
        sever["close"]()
        # Until it is closed, an application that returned would be taken for one that failed.
        await self._left()

    async def _begin(self, answer: Answer) -> None:
        headers = [(b"content-type", answer.media_type), (b"content-length", str(len(answer.content)).encode())]
        if answer.status == 429:
            headers.append((b"retry-after", str(answer.retry_after_s).encode()))
        await self.send_message({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def _left(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            continue


async def misbehave(fault: Fault, spans: Spans, answer: Callable[[], Answer], to: Connection) -> None:
    """Deliver what a request that a fault befalls gets; `answer` carries it out."""
    if fault.kind is FaultKind.LATENCY:
        await asyncio.sleep(spans.latency_s * fault.size)
    if fault.kind is FaultKind.REPEATED_REQUEST:
        answer()
    truth = answer() if fault.acts else NOT_FOUND
    match fault.kind:
        case FaultKind.LATENCY | FaultKind.REPEATED_REQUEST:
            await to.send(truth)
        case FaultKind.LOST_REQUEST | FaultKind.LOST_ANSWER:
            await to.stay_silent(spans.silence_s)
        case FaultKind.DROPPED | FaultKind.CARRIED_OUT_LATE | FaultKind.LISTED_LATE:
            await to.close()
        case FaultKind.HALF_ANSWER:
            # Cut off by the connection, or by somebody in between who is content with half.
            await (to.send_half(truth) if fault.seed % 2 else to.send(_half(truth)))
        case _:
            await to.send(_instead(fault))


def _instead(fault: Fault) -> Answer:
    """What is said instead of an answer."""
    match fault.kind:
        case FaultKind.RATE_LIMITED:
            said = {"status": "error", "message": "Too many requests"}
            return answered(said, 429, retry_after_s=fault.seed % 2)
        case FaultKind.NONCE_REFUSED:
            return refused(401, "invalid nonce")
        case FaultKind.HTML:
            return _page((200, *_ERRORS)[fault.seed % 5])
        case FaultKind.MAINTENANCE:
            return _page(503)
    return _error(fault)


def _half(answer: Answer) -> Answer:
    return replace(answer, content=answer.content[: len(answer.content) // 2])


def _page(status: int) -> Answer:
    return Answer(status, _PAGES[status], _HTML)


def _error(fault: Fault) -> Answer:
    """A 5xx in one of the shapes that they have: JSON with a message, a page, or nothing."""
    status = _ERRORS[fault.seed % 4]
    match fault.seed // 4 % 3:
        case 0:
            return refused(status, "Something went wrong")
        case 1:
            return _page(status)
    return Answer(status, b"")
