"""Lets requests in as fast as their account, token and address may ask, and tells each caller how they stand.

An address is looked at before anything else is. Who is signed in is known only inside, where the token is read: there
the account, the token and the address are asked about together, in one question.
"""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any
from uuid import UUID

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omc.access.rate import Charge, Standing
from omc.errors import RateLimited
from serve_apps import problem
from serve_apps.caller import Caller, Proxies, caller
from serve_apps.limits import AskingLimits, Limiter
from serve_apps.precedence import OPEN, header, is_probe, is_registration, is_stop
from serve_apps.vouched import Vouched

_ADMISSION = "omc.admission"
_STOP_WAITS_S, _OTHERS_WAIT_S = 0.25, 1.0
_SAID = "too many requests: wait {seconds} s and ask again"


def _by_nobody() -> bool:
    return False


class Turnstile:
    """Of all requests but probes. Whoever asks from this machine is limited by account alone: the command line and the
    platform's own programs have no address to be told apart by."""

    def __init__(self, app: ASGIApp, limits: AskingLimits, proxies: Proxies, vouched: Vouched) -> None:
        self._app = app
        self._limits = limits
        self._vouched = vouched
        self._proxies = proxies
        self._limiter = Limiter(limits.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_probe(scope):
            await self._app(scope, receive, send)
            return
        admission = Admission(self._limits, self._limiter, caller(scope, self._proxies), stops=is_stop(scope))

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                # A token that nobody took, or that was none, is no way around the limit of its address.
                await admission.leaves()
                if admission.tightest:
                    message = {**message, "headers": [*message["headers"], *_headers(admission.tightest)]}
            await send(message)

        presents_token = header(scope, b"authorization")[:7].lower() == b"bearer " and scope["path"] not in OPEN
        refused = await admission.enters(
            presents_token, lambda: self._vouched.account(scope) is not None, registers=is_registration(scope)
        )
        if refused is not None:
            await _refusal(refused)(scope, receive, told)
            return
        await self._app({**scope, _ADMISSION: admission}, receive, told)


class Admission:
    """One request on its way in."""

    def __init__(self, limits: AskingLimits, limiter: Limiter, asker: Caller, *, stops: bool) -> None:
        self._limits = limits
        self._limiter = limiter
        self._stops = stops
        self._network = asker.network
        self._address = None if asker.is_local else Charge(f"address:{asker.network}", limits.address)
        self.tightest: Standing | None = None
        """Of the key that it meets first, when it was asked about."""

    async def enters(
        self, presents_token: bool, is_known: Callable[[], bool] = _by_nobody, *, registers: bool = False
    ) -> Standing | None:
        """How its address stands where it has no room; one that comes with a token is asked about with its account. A
        stop with a token that `is_known` is let in wherever it comes from: whoever makes tokens up is not."""
        address = self._address
        if address is None or (presents_token and not self._limiter.suspects(address.key)):
            return None
        if presents_token and self._stops and is_known():
            return None
        self._address = None
        more = [Charge(f"register:{self._network}", self._limits.register)] if registers else []
        return await self._refused([address, *more])

    async def signed_in(self, account: UUID, token: str | None) -> None:
        """RateLimited when an account, its token or its address has asked too often."""
        if self._stops:
            charges = [Charge(f"stop:{account}", self._limits.stop)]
        else:
            charges = [Charge(f"account:{account}", self._limits.account)]
            if token is not None:
                charges.append(Charge(f"token:{token}", self._limits.token))
            if self._address is not None:
                charges.append(self._address)
        self._address = None
        refused = await self._refused(charges)
        if refused is not None:
            seconds = _seconds(refused)
            fault = RateLimited(_SAID.format(seconds=seconds))
            raise problem.Detailed(fault, _details(refused), retry_after_s=seconds)

    async def leaves(self) -> None:
        """It is answered: charge its address, where that was left to whoever reads its token."""
        if (address := self._address) is not None:
            self._address = None
            await self._refused([address])

    async def _refused(self, charges: Sequence[Charge]) -> Standing | None:
        verdict = await self._limiter.take(charges, _STOP_WAITS_S if self._stops else _OTHERS_WAIT_S)
        self.tightest = verdict.tightest
        return None if verdict.allowed else verdict.tightest


async def admit(scope: Scope, account: UUID, token: str | None = None) -> None:
    """Called once it is known who asks: the account's id and, where a program's token was shown, the token's."""
    admission: Admission | None = scope.get(_ADMISSION)
    if admission is not None:
        await admission.signed_in(account, token)


def _refusal(standing: Standing) -> Response:
    seconds = _seconds(standing)
    message = _SAID.format(seconds=seconds)
    return problem.answer("RATE_LIMITED", 429, message, _details(standing), {"Retry-After": str(seconds)})


def _seconds(standing: Standing) -> int:
    return max(ceil(standing.wait_us / 1_000_000), 1)


def _details(standing: Standing) -> dict[str, Any]:
    """By what it is limited, and never whose it is."""
    rate = standing.charge.rate
    limited = standing.charge.key.partition(":")[0]
    return {"limited_by": limited, "requests_per_minute": rate.per_minute, "at_once": rate.burst}


def _headers(standing: Standing) -> list[tuple[bytes, bytes]]:
    """Of the burst: its size, what is left of it, and in how many seconds it is whole again."""
    return [
        (b"ratelimit-limit", b"%d" % standing.charge.rate.burst),
        (b"ratelimit-remaining", b"%d" % standing.remaining),
        (b"ratelimit-reset", b"%d" % ceil(standing.lag_us / 1_000_000)),
    ]
