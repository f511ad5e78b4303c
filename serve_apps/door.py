"""What every request passes on its way in and every answer on its way out.

Pure ASGI: Starlette's base class for middleware halves the rate of requests.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omc.access.redaction import redacted_path
from omc.logs import of_request
from serve_apps import problem
from serve_apps.caller import Proxies, caller
from serve_apps.crowd import Crowd
from serve_apps.deadline import Deadline
from serve_apps.limits import AskingLimits
from serve_apps.security_headers import SecurityHeaders
from serve_apps.seen import Seen, note, seen_of
from serve_apps.turnstile import Turnstile
from serve_apps.vouched import Vouched

logger = logging.getLogger("omc.http")
access = logging.getLogger("omc.access")

_NOBODY = Vouched()
_REQUEST_ID = b"x-request-id"
# A caller's id goes into logs as it is, so it may not hold a line end, a quote or a whole novel.
_USABLE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
# They steer the proxy, not the application: one extends the server's time limit, the other keeps work alive after its
# client left. The proxy in front drops them where it can; here they go no further.
STEERING = frozenset({b"x-request-timeout-seconds", b"x-request-disconnect-disabled"})
# Tokens go in a header and never in a cookie, so that no other site can use somebody's session.
_TOLD_BY_PAGES = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-ID",
    "X-Second-Factor",
)
_READ_BY_PAGES = (
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
)


@dataclass(frozen=True, slots=True)
class Rules:
    """How the door is kept. Origins of other sites are let in only when they are named."""

    body_cap_bytes: int = 1_048_576
    cors_origins: tuple[str, ...] = ()
    proxies: Proxies = field(default=Proxies())
    limits: AskingLimits | None = None
    """Nobody is limited without them."""
    at_once: int = 100
    """Requests under way in one replica."""
    body_s: float = 20.0
    """How long a body may take to arrive, …"""
    answer_s: float = 60.0
    """… and the beginning of an answer."""
    https: bool = False
    """Whether browsers are to come back over HTTPS alone."""
    stamps_request_id: bool = True
    """Off behind Ray Serve, which puts X-Request-ID on every answer itself: twice would be wrong."""


def install(app: FastAPI, rules: Rules, vouched: Vouched = _NOBODY) -> None:
    """Keep the door of `app`, errors included. Emergency stops of whoever is `vouched` for come first."""
    problem.install(app)
    # Whatever is added later stands before it.
    if rules.limits is not None:
        app.add_middleware(Turnstile, limits=rules.limits, proxies=rules.proxies, vouched=vouched)
    app.add_middleware(Deadline, body_s=rules.body_s, answer_s=rules.answer_s)
    app.add_middleware(Crowd, at_once=rules.at_once, vouched=vouched)
    app.add_middleware(Door, rules=rules)
    if rules.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(rules.cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=list(_TOLD_BY_PAGES),
            expose_headers=list(_READ_BY_PAGES),
        )
    app.add_middleware(SecurityHeaders, https=rules.https)


class Door:
    """Names the request, drops headers that steer the proxy, caps the body, and lets no fault out as it is."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(_REQUEST_ID, b""))
        inner = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in STEERING]}
        note(inner, Seen(request_id.decode(), caller(scope, self._rules.proxies).address))
        started, status, began = False, 0, time.perf_counter()

        async def stamped(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                if self._rules.stamps_request_id:
                    message = {**message, "headers": [*message["headers"], (_REQUEST_ID, request_id)]}
            await send(message)

        with of_request(request_id.decode()):
            try:
                await self._answered(inner, self._capped(receive), stamped, lambda: started)
            finally:
                _tell(inner, status, (time.perf_counter() - began) * 1_000)

    async def _answered(self, scope: Scope, receive: Receive, send: Send, started: Callable[[], bool]) -> None:
        cap = self._rules.body_cap_bytes
        if _announced(dict(scope["headers"])) > cap:
            refusal = problem.answer("PAYLOAD_TOO_LARGE", 413, f"the body is larger than {cap} bytes")
            await refusal(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception:
            told = (scope["method"], redacted_path(scope["path"]), seen_of(scope).request_id)
            logger.exception("unforeseen fault: %s %r, request %s", *told)
            if started():
                raise  # half an answer is out: breaking the connection is all that is left to say
            await problem.internal()(scope, receive, send)

    def _capped(self, receive: Receive) -> Receive:
        """`receive`, as long as what it received stays within the cap: a length can be missing, or a lie."""
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._rules.body_cap_bytes:
                raise problem.too_large(self._rules.body_cap_bytes)
            return message

        return counting


def _tell(scope: Scope, status: int, took_ms: float) -> None:
    """One line for each request. What follows the question mark in an address may be a token."""
    told = {
        "method": scope["method"],
        "path": redacted_path(scope["path"]),
        "status": status,
        "ms": round(took_ms, 1),
        "user": seen_of(scope).user,
    }
    access.info("request", extra=told)


def _request_id(given: bytes) -> bytes:
    return given if _USABLE_ID.fullmatch(given) else uuid4().hex.encode()


def _announced(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and len(length) < 20 else (1 << 62 if length else 0)
