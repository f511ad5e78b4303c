"""Requests that may come twice: one that carries an `Idempotency-Key` has its effect once, and the same answer again.

A route takes part by asking for its `Operation`. Whoever comes first carries the request out, whether or not its client
waits for it; a copy that comes meanwhile waits a little, and later ones are answered from what was kept. What was cut
short by a crash, or is not finished, is carried out again as the same operation: effects are named by it.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Header, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from omc.access.once import HELD_FOR, Answer, Claim, RequestStore
from omc.clock import Clock
from omc.errors import OmcError, Overtaken, SecondFactorNeeded, SecondFactorWrong, StaleLease, Unavailable
from serve_apps import problem
from serve_apps.identity import Bearer
from serve_apps.patience import soon
from serve_apps.uncut import uncut

logger = logging.getLogger("omc.http")

REPLAYED = "Idempotency-Replayed"
_COPY_WAITS_S, _LOOKS_EVERY_S = 5.0, 0.1
_MOMENT_S = 0.5
"""What does not need the store waits no longer for it."""
_NOT_HAD = frozenset({401, 413, 429})
"""What says nothing about the request itself: it may be made again as if it had never come."""
_PASSING = (Overtaken, StaleLease)
"""Refusals that another look at things may not meet."""
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$",
        description="The same key again has the effect once, and the same answer, for two days at least.",
    ),
]


@dataclass(frozen=True, slots=True)
class Operation:
    """One request, however often it is carried out. `id` names its effects; without a key every request is its own."""

    id: UUID
    began_at: datetime
    repeated: bool = False
    """Whether it may have been carried out before, in part or whole."""
    named: bool = False
    """Whether it has a key. It began by the store's clock then, and may be carried out long after."""


def _asks_for_code(fault: Exception) -> bool:
    """Whether the same request with a code of the second factor would be carried out."""
    return isinstance(fault, problem.Detailed) and isinstance(fault.fault, SecondFactorNeeded | SecondFactorWrong)


class Replay(Exception):
    """What was answered already."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Once:
    """`operation` is the dependency, `route` the class of the routes that ask for it."""

    def __init__(self, requests: RequestStore, bearer: Bearer, clock: Clock, *, needed: bool = True) -> None:
        """Where the store is not `needed`, what has a key is carried out all the same while it is away."""
        self._requests, self._clock, self._needed = requests, clock, needed
        self.operation = self._dependency(bearer)
        self.route = _route_class(self)

    def _dependency(self, bearer: Bearer) -> Callable[..., Awaitable[Operation]]:
        async def operation(
            request: Request, user_id: Annotated[UUID, Depends(bearer)], key: IdempotencyKey = None
        ) -> Operation:
            if key is None:
                return Operation(uuid4(), self._clock.now())
            try:
                claiming = self._claimed(user_id, key, await _fingerprint(request))
                claim = await (claiming if self._needed else soon(claiming, "the database", _MOMENT_S))
            except Unavailable as fault:
                if self._needed:
                    raise
                logger.warning("an Idempotency-Key cannot be looked up: %s", fault)
                return Operation(uuid4(), self._clock.now())
            request.state.claim = claim
            return Operation(claim.operation, claim.began_at, repeated=claim.run > 1, named=True)

        return operation

    async def _claimed(self, user_id: UUID, key: str, fingerprint: bytes) -> Claim:
        for _ in range(int(_COPY_WAITS_S / _LOOKS_EVERY_S)):
            match await self._requests.claim(user_id, key, fingerprint):
                case Claim() as claim:
                    return claim
                case Answer() as answer:
                    raise Replay(answer)
            await asyncio.sleep(_LOOKS_EVERY_S)
        raise Unavailable("a request with this Idempotency-Key is under way: ask again with the same key")

    async def carried_out(
        self, request: Request, status: int, handler: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Response:
        """What `handler` answers; kept, where the request has a claim. `status` is that of an answer that is final."""
        renewing = asyncio.create_task(self._renew(request))
        try:
            response = await handler(request)
        except Replay as replay:
            return _again(replay.answer)
        except Exception as fault:
            response = await self._refused(request, fault)
        finally:
            renewing.cancel()
        claim = _claim(request)
        return response if claim is None else await self._kept(claim, response, status)

    async def _refused(self, request: Request, fault: Exception) -> Response:
        """A fault as an answer that can be kept. One that is none, or belongs to no claim, goes on."""
        claim, refusal = _claim(request), await problem.refusal(request, fault)
        if claim is not None and refusal is not None and not isinstance(fault, _PASSING) and not _asks_for_code(fault):
            return refusal
        if claim is not None:
            never = isinstance(fault, RequestValidationError | HTTPException) or _asks_for_code(fault)
            await self._end(self._requests.forget(claim) if never else self._requests.let_go(claim))
        raise fault

    async def _kept(self, claim: Claim, response: Response, final: int) -> Response:
        if response.status_code in _NOT_HAD:
            await self._end(self._requests.forget(claim))
        elif response.status_code == final or 400 <= response.status_code < 500:
            said = Answer(
                response.status_code,
                bytes(response.body),
                response.headers.get("content-type", "application/json"),
                response.headers.get("location"),
            )
            kept = await self._end(self._requests.answer(claim, said))
            if isinstance(kept, Answer) and kept != said:
                return _again(kept)
        else:
            await self._end(self._requests.let_go(claim))
        return response

    async def _end(self, work: Coroutine[Any, Any, Answer | None]) -> Answer | None:
        """What has happened has happened: that it could not be written down is no answer to whoever asked for it. It
        shows when the request comes again, and is carried out again as the same operation."""
        try:
            return await (work if self._needed else soon(work, "the database", _MOMENT_S))
        except OmcError as fault:
            logger.warning("what became of an Idempotency-Key could not be kept: %s", fault)
            return None

    async def _renew(self, request: Request) -> None:
        while True:
            await asyncio.sleep(HELD_FOR.total_seconds() / 3)
            if (claim := _claim(request)) is not None:
                with contextlib.suppress(OmcError):
                    await self._requests.renew(claim)


def _route_class(once: Once) -> type[APIRoute]:
    class OnceRoute(APIRoute):
        """Carries out requests with a key once; others as ever."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()
            final = self.status_code or 200

            async def answered(request: Request) -> Response:
                if "idempotency-key" not in request.headers:
                    return await handler(request)
                return await uncut(once.carried_out(request, final, handler))

            return answered

    return OnceRoute


def _claim(request: Request) -> Claim | None:
    claim: Claim | None = getattr(request.state, "claim", None)
    return claim


async def _fingerprint(request: Request) -> bytes:
    body = await request.body()
    with contextlib.suppress(ValueError, RecursionError):
        body = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    asked = (request.method, request.url.path, request.url.query)
    return hashlib.sha256(json.dumps(asked).encode() + b"\n" + body).digest()


def _again(answer: Answer) -> Response:
    headers = {REPLAYED: "true"} | ({"Location": answer.location} if answer.location else {})
    return Response(answer.body, answer.status, headers, media_type=answer.media_type)
