"""How long a request may take: to arrive, and to be answered."""

import asyncio

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_apps import problem
from serve_apps.precedence import takes_its_time


class Deadline:
    """Whoever sends a body drop by drop is sent away, and whoever waits too long for the beginning of an answer is told
    that there is none. What the request has set in motion goes on, as it does when its client leaves. What is known to
    take its time is given it."""

    def __init__(self, app: ASGIApp, *, body_s: float, answer_s: float) -> None:
        self._app = app
        self._body_s = body_s
        self._answer_s = answer_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        body_by = loop.time() + self._body_s
        arrived = started = False

        async def in_time() -> Message:
            nonlocal arrived
            if arrived:
                return await receive()  # that the client has left, whenever that is
            try:
                async with asyncio.timeout_at(body_by):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(422, f"the body did not arrive within {self._body_s:g} s") from None
            arrived = not message.get("more_body", False)
            return message

        async def starting(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                waiting.reschedule(None)
            await send(message)

        waiting = asyncio.timeout(None if takes_its_time(scope) else self._answer_s)
        try:
            async with waiting:
                await self._app(scope, in_time, starting)
        except TimeoutError:
            if started or not waiting.expired():
                raise
            said = (
                f"there was no answer within {self._answer_s:g} s: what was begun goes on, so look before asking again"
            )
            await problem.answer("UNAVAILABLE", 503, said)(scope, receive, send)
