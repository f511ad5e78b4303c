"""An answer waits for the body that it does not need.

HAProxy keeps a connection whose answer came before its request was sent to the end. Now and then it does not notice
that the rest has come, and whoever asks again on that connection waits for a minute. Where it is closed instead, the
answer may be lost with what is still on its way.
"""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Whoever has not sent the rest by then is answered all the same.
_REST_WITHIN_S = 2.0


def body_first(app: ASGIApp) -> ASGIApp:
    """`app`, whose answers begin once the request has come to its end. What `app` does not read is dropped."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await app(scope, receive, send)
            return
        has_come, is_kept_back = False, _asks_before(scope)

        async def heard() -> Message:
            nonlocal has_come, is_kept_back
            # Whoever asked before is told to go on by this.
            is_kept_back = False
            message = await receive()
            has_come = not message.get("more_body", False)
            return message

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_kept_back:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_REST_WITHIN_S):
                        while not has_come:
                            await heard()
            await send(message)

        await app(scope, heard, told)

    return answered


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _asks_before(scope: Scope) -> bool:
    """Whether the body comes only when it is wanted."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])
