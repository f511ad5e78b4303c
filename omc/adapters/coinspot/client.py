"""Calls to CoinSpot, each ending in one of four ways: done, refused, outcome unknown, or nothing happened.

Done is a 200 that says ok. Refused (VenueRefused) is a readable no: nothing was executed. RateLimited and Unavailable
mean that nothing happened. All the rest, a timeout, a 5xx, a cut connection, an answer that is no JSON, leaves open
whether the venue acted: OutcomeUnknown. A reading cannot have acted, so for it that is Unavailable.
"""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

from omc.adapters.coinspot.line import Line, Reply
from omc.adapters.coinspot.nonce import NonceStore
from omc.adapters.coinspot.signature import Credentials, body_of, signature
from omc.adapters.system_clock import SystemClock
from omc.clock import Clock
from omc.errors import OutcomeUnknown, RateLimited, Unavailable, VenueRefused
from omc.trading.lease import Lease

COINSPOT_URL: Final = "https://www.coinspot.com.au"
_LONGEST_MESSAGE = 300


def outcome(path: str, reply: Reply) -> dict[str, Any]:
    """What a reply says, numbers as Decimal or int; one of the errors above otherwise."""
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited(f"{path}: asked too often")
    payload = _object(reply.content)
    message = payload.get("message") if payload else None
    if payload is not None and HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        match payload.get("status"):
            case "ok":
                return payload
            case str(said):
                raise VenueRefused(f"{path}: {_short(message or said)}")
    if HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR and isinstance(message, str):
        raise VenueRefused(f"{path}: {_short(message)}")
    raise OutcomeUnknown(f"{path}: HTTP {reply.status} with nothing that can be read")


async def read_public(line: Line, path: str) -> dict[str, Any]:
    """GET a public path. Unavailable, whatever went wrong: asking changes nothing."""
    try:
        return outcome(path, await line.send("GET", f"/pubapi/v2/{path}"))
    except (OutcomeUnknown, VenueRefused) as fault:
        raise Unavailable(str(fault)) from None


class CoinspotClient:
    """One account's private calls, one at a time: the venue takes only rising nonces, in the order of arrival.

    `account` names the account to the nonce store. Neither key nor secret show in any text that leaves here.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        nonces: NonceStore,
        *,
        account: str,
        clock: Clock | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self.account = account
        self._credentials = credentials
        self._nonces = nonces
        self._clock = clock or SystemClock()
        self._line = Line(base_url, timeout_s)
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"CoinspotClient({self._line.base_url!r}, account={self.account!r})"

    async def act(self, path: str, fields: Mapping[str, str], sender: Lease | None = None) -> dict[str, Any]:
        """Do something at `path`, below /api/v2/. StaleLease, and nothing was sent, when `sender` is not in force."""
        return await self._call(path, fields, sender)

    async def read(self, path: str, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read `path`, below /api/v2/ro/. Never OutcomeUnknown."""
        try:
            return await self._call(f"ro/{path}", fields or {})
        except OutcomeUnknown as fault:
            raise Unavailable(str(fault)) from None

    async def close(self) -> None:
        await self._line.close()

    async def _call(self, path: str, fields: Mapping[str, str], sender: Lease | None = None) -> dict[str, Any]:
        # The turn is kept until the answer: a request that overtakes another makes its nonce too low.
        async with self._turn:
            now_ms = int(self._clock.now().timestamp() * 1000)
            body = body_of(fields, await self._nonces.next(self.account, now_ms, sender))
            headers = {
                "Content-Type": "application/json",
                "key": self._credentials.key,
                "sign": signature(self._credentials.secret, body),
            }
            reply = await self._line.send("POST", f"/api/v2/{path}", content=body, headers=headers)
        try:
            return outcome(path, reply)
        except VenueRefused as refusal:
            raise VenueRefused(self._credentials.hide(str(refusal))) from None


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _short(message: Any) -> str:
    return " ".join(str(message).split())[:_LONGEST_MESSAGE]
