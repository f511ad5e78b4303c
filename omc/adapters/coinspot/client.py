"""Calls to CoinSpot, each ending in one of four ways: done, refused, outcome unknown, or nothing happened.

Done is a 200 that says ok. Refused (VenueRefused) is a readable no: nothing was executed. RateLimited and Unavailable
mean that nothing happened. All the rest, a timeout, a 5xx, a cut connection, an answer that is no JSON, leaves open
whether the venue acted: OutcomeUnknown. A reading cannot have acted, so for it that is Unavailable.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, Protocol

from omc.adapters.coinspot.holdoff import Holdoff
from omc.adapters.coinspot.line import Channel, Line, Reply
from omc.adapters.coinspot.nonce import NonceStore
from omc.adapters.coinspot.signature import Credentials, body_of, signature
from omc.adapters.system_clock import SystemClock
from omc.clock import Clock
from omc.errors import KeyRefused, OutcomeUnknown, RateLimited, Unavailable, VenueRefused
from omc.trading.answer import Answer, Meaning, meaning
from omc.trading.lease import Lease

COINSPOT_URL: Final = "https://www.coinspot.com.au"
_LONGEST_MESSAGE = 300
_STORE_S = 5.0
"""How long a store of nonces is waited for."""
_URGENT_S = 0.5
"""How long by what is urgent."""
_AWAY_S = 10.0
"""How long what is urgent asks a store no more that did not answer."""
_TRIES = 3
"""Of a request that the venue did not look at."""
_PROMISE_NOTHING = frozenset({HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses that say by themselves that nothing was taken; of any other no, the venue gives a reason in words."""
_NOT_ADMITTED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class KeySource(Protocol):
    """Whose key a client signs with, asked before every call."""

    async def current(self, *, to_trade: bool) -> Credentials:
        """VenueRefused, and nothing is sent, when there is none, or none that may trade."""
        ...

    async def refused(self, used: Credentials, message: str, *, reading: bool) -> None:
        """The venue did not take the key that was `used`, to read or to do something."""
        ...


class FixedKey(KeySource):
    """One key for good."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def current(self, *, to_trade: bool) -> Credentials:
        return self._credentials

    async def refused(self, used: Credentials, message: str, *, reading: bool) -> None:
        """There is no other."""


def outcome(path: str, reply: Reply) -> dict[str, Any]:
    """What a reply says, numbers as Decimal or int; one of the errors above otherwise."""
    payload = _object(reply.content) or {}
    said, message = payload.get("status"), payload.get("message")
    answer = Answer(
        reply.status,
        says_ok=said == "ok" if isinstance(said, str) else None,
        message=message if isinstance(message, str) else None,
    )
    match meaning(answer, promises_nothing=_PROMISE_NOTHING):
        case Meaning.DONE:
            return payload
        case Meaning.NOTHING:
            raise RateLimited(f"{path}: asked too often")
        case Meaning.REFUSED:
            # A nonce that is out of order says nothing against the key.
            admitted = reply.status not in _NOT_ADMITTED or "nonce" in str(message).lower()
            raise (VenueRefused if admitted else KeyRefused)(f"{path}: {_short(message or said)}")
        case Meaning.UNKNOWN:
            raise OutcomeUnknown(f"{path}: HTTP {reply.status} with nothing that can be read")


async def read_public(line: Channel, path: str, holdoff: Holdoff) -> dict[str, Any]:
    """GET a public path. Unavailable, whatever went wrong: asking changes nothing."""
    await holdoff.over(path)
    try:
        reply = await line.send("GET", f"/pubapi/v2/{path}")
        holdoff.asked(reply.pause_s)
        return outcome(path, reply)
    except (OutcomeUnknown, VenueRefused) as fault:
        raise Unavailable(str(fault)) from None


class CoinspotClient:
    """One account's private calls, one at a time: the venue takes only rising nonces, in the order of arrival. The key
    is asked for before each try, so that one which was replaced signs nothing any more.

    `account` names the account to the nonce store. Neither key nor secret show in any text that leaves here.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | KeySource,
        nonces: NonceStore,
        *,
        account: str,
        clock: Clock | None = None,
        timeout_s: float = 10.0,
        line: Channel | None = None,
    ) -> None:
        self.account = account
        self._keys: KeySource = FixedKey(credentials) if isinstance(credentials, Credentials) else credentials
        self._nonces = nonces
        self._clock = clock or SystemClock()
        self._line = line or Line(base_url, timeout_s)
        self._turn = asyncio.Lock()
        self._last = self._sent = 0
        self._away_until = 0.0
        self.signed_with: Credentials | None = None
        """The key of the newest request that left."""
        self._holdoff = Holdoff()

    def __repr__(self) -> str:
        return f"CoinspotClient({self._line.base_url!r}, account={self.account!r})"

    async def act(
        self,
        path: str,
        fields: Mapping[str, str],
        sender: Lease | None = None,
        *,
        gate: Callable[[], None] | None = None,
        urgent: bool = False,
        once: bool = False,
    ) -> dict[str, Any]:
        """Do something at `path`, below /api/v2/. StaleLease, and nothing was sent, when `sender` is not in force;
        whatever `gate` raises, which is asked last, and nothing was sent either.

        What is `urgent` adds nothing to the account, and waits neither for a store of nonces that does not answer, nor
        for anybody who does, nor for the end of a pause. What must not be done twice is said to be done `once`: our
        nonce is above all that we ever used, so when the venue has seen it, it may have been this very request,
        delivered twice."""
        return await self._call(path, fields, _Manner(sender, gate, urgent, once))

    async def read(self, path: str, fields: Mapping[str, str] | None = None, *, urgent: bool = False) -> dict[str, Any]:
        """Read `path`, below /api/v2/ro/. Never OutcomeUnknown."""
        try:
            return await self._call(f"ro/{path}", fields or {}, _Manner(urgent=urgent))
        except OutcomeUnknown as fault:
            raise Unavailable(str(fault)) from None

    async def close(self) -> None:
        await self._line.close()

    async def _call(self, path: str, fields: Mapping[str, str], manner: "_Manner") -> dict[str, Any]:
        for _ in range(_TRIES):
            if not manner.urgent:
                await self._holdoff.over(path)
            credentials, reply = await self._answered(path, fields, manner)
            self._holdoff.asked(reply.pause_s)
            if manner.once and _nonce_refused(reply):
                raise OutcomeUnknown(f"{path}: the venue has had this request already, or a later one")
            if not _untouched(reply) or (manner.urgent and reply.pause_s):
                break
        try:
            return outcome(path, reply)
        except VenueRefused as refusal:
            hidden = type(refusal)(credentials.hide(str(refusal)))
        if isinstance(hidden, KeyRefused):
            await self._keys.refused(credentials, str(hidden), reading=path.startswith("ro/"))
        raise hidden

    async def _answered(self, path: str, fields: Mapping[str, str], manner: "_Manner") -> tuple[Credentials, Reply]:
        """What came back, and with whose key it was asked for."""
        while True:
            if self._turn.locked():
                async with self._turn:
                    continue
            # Stores are waited for out of turn, so what is urgent need not wait for them: it goes by, and what was
            # prepared meanwhile is too old.
            credentials = await self._keys.current(to_trade=manner.sender is not None)
            nonce = await self._nonce(manner)
            if self._turn.locked() or nonce <= self._sent:
                continue
            # The turn is kept until the answer: a request that overtakes another makes its nonce too low.
            async with self._turn:
                if nonce <= self._sent:
                    continue
                body = body_of(fields, nonce)
                headers = {
                    "Content-Type": "application/json",
                    "key": credentials.key,
                    "sign": signature(credentials.secret, body),
                }
                # Nothing is awaited between this look and the sending.
                manner.ask()
                self._sent, self.signed_with = nonce, credentials
                return credentials, await self._line.send("POST", f"/api/v2/{path}", content=body, headers=headers)

    async def _nonce(self, manner: "_Manner") -> int:
        """What is urgent takes a number that is not stored when the store is away: with no order behind it, it proves
        nothing that must be known after a restart, and the next one of the store is higher again."""
        loop = asyncio.get_running_loop()
        now_ms = max(int(self._clock.now().timestamp() * 1000), self._last + 1)
        if manner.urgent and loop.time() < self._away_until:
            nonce = now_ms
        else:
            nonce = await self._stored_nonce(now_ms, manner)
        self._last = max(self._last, nonce)
        return nonce

    async def _stored_nonce(self, now_ms: int, manner: "_Manner") -> int:
        patience_s = _URGENT_S if manner.urgent else _STORE_S
        try:
            async with asyncio.timeout(patience_s):
                return await self._nonces.next(self.account, now_ms, manner.sender)
        except (Unavailable, OutcomeUnknown):
            if not manner.urgent:
                raise
        except TimeoutError:
            self._away_until = asyncio.get_running_loop().time() + _AWAY_S
            if not manner.urgent:
                raise Unavailable(f"nothing was sent: no number for it was to be had in {patience_s:g} s") from None
        return max(now_ms, self._last + 1)


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a request is sent, as `act` says."""

    sender: Lease | None = None
    gate: Callable[[], None] | None = None
    urgent: bool = False
    once: bool = False

    def ask(self) -> None:
        if self.gate is not None:
            self.gate()


def _untouched(reply: Reply) -> bool:
    """Whether the venue did not so much as look at a request, which may then be sent again under a later nonce."""
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        # One that does not say when to come back is left alone by whoever asked.
        return reply.pause_s is not None
    return _nonce_refused(reply)


def _nonce_refused(reply: Reply) -> bool:
    payload = _object(reply.content) if reply.status in _NOT_ADMITTED else None
    return payload is not None and "nonce" in str(payload.get("message")).lower()


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _short(message: Any) -> str:
    return " ".join(str(message).split())[:_LONGEST_MESSAGE]
